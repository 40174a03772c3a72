package pages

import (
	"encoding/json"
	"net/url"
)

// WebMessage hands an answer to a client by response_mode=web_message. Its script posts Response to the origin Target.
type WebMessage struct {
	Frame
	Target   string
	Response string // JSON
}

// NewWebMessage is the page that posts values to target, which must be the origin of a verified return address.
func NewWebMessage(frame Frame, target string, values url.Values) WebMessage {
	response := map[string]string{}
	for name := range values {
		response[name] = values.Get(name)
	}
	text, err := json.Marshal(response)
	if err != nil {
		panic(err) // strings always can
	}
	return WebMessage{Frame: frame, Target: target, Response: string(text)}
}
