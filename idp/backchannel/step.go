package backchannel

import "github.com/hush-idp/hush/trace"

// Step is what the trace says of a telling.
func Step(telling Telling) trace.Step {
	step := trace.Step{
		Kind: trace.KindLogout, Spec: "Back-Channel Logout §2.5", Outcome: trace.OK,
		Text: "client " + telling.Client.ClientID + " was told of the sign-out", Values: []trace.Value{trace.Plain("backchannel_logout_uri", telling.Client.BackchannelLogoutURI)},
	}
	if telling.Err != nil {
		step.Outcome, step.Text = trace.Failed, "client "+telling.Client.ClientID+" could not be told of the sign-out: "+telling.Err.Error()
	}
	if telling.Again {
		step.Text += "; it will be tried again"
	}
	return step
}
