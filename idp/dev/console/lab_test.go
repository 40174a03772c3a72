package console_test

import (
	"strings"
	"testing"
	"time"
)

func TestFaults(t *testing.T) {
	h := newFixture(t)
	added := h.json(t, 200, "POST", "/console/faults",
		`{"fault":"delay","client":"spa","endpoint":"token","delay":"2s","times":2}`)
	h.json(t, 200, "POST", "/console/faults", `{"fault":"session_lost"}`)
	list := h.json(t, 200, "GET", "/console/faults", "")
	if faults := list["faults"].([]any); len(faults) != 2 || faults[0].(map[string]any)["delay"] != "2s" {
		t.Errorf("the faults are %v; want the delay and the lost session", faults)
	}
	h.json(t, 204, "DELETE", "/console/faults/"+added["id"].(string), "")
	h.json(t, 404, "DELETE", "/console/faults/"+added["id"].(string), "")
	h.json(t, 204, "DELETE", "/console/faults", "")
	list = h.json(t, 200, "GET", "/console/faults", "")
	if len(list["faults"].([]any)) != 0 || len(list["ended"].([]any)) != 2 {
		t.Errorf("after all were cancelled: %v", list)
	}
}

func TestFaultsThatCannotBe(t *testing.T) {
	h := newFixture(t)
	for body, want := range map[string]string{
		`{"fault":"earthquake"}`:                   "earthquake",
		`{"fault":"session_lost","client":"spaa"}`: "spaa",
		`{"fault":"delay"}`:                        "delay",
		`{"fault":"delay","delay":"soon"}`:         "soon",
		`{"falt":"delay"}`:                         "falt",
	} {
		if got := h.json(t, 400, "POST", "/console/faults", body)["error_description"].(string); !strings.Contains(got,
			want) {
			t.Errorf("%s is refused with %q; want it to name %s", body, got, want)
		}
	}
}

func TestFaultKinds(t *testing.T) {
	h := newFixture(t)
	kinds := h.json(t, 200, "GET", "/console/faults/kinds", "")["kinds"].([]any)
	if len(kinds) < 20 || kinds[0].(map[string]any)["text"] == "" {
		t.Errorf("the kinds are %v", kinds)
	}
}

func TestClock(t *testing.T) {
	h := newFixture(t)
	h.json(t, 200, "POST", "/console/clock", `{"forward":"10m"}`)
	clock := h.json(t, 200, "POST", "/console/clock", `{"forward":"1h"}`)
	now, err := time.Parse(time.RFC3339, clock["now"].(string))
	must(t, err)
	if ahead := time.Until(now); clock["offset"] != "1h10m0s" || clock["offset_s"] != 4200.0 || ahead < time.Hour ||
		ahead > 71*time.Minute {
		t.Errorf("the clock is %v, %v ahead; want it 1h10m0s ahead", clock, ahead)
	}
	if got := h.json(t, 200, "POST", "/console/clock", `{"real":true}`)["offset"]; got != "0s" {
		t.Errorf("back at the real time the offset is %v", got)
	}
	for _, body := range []string{"{}", `{"forward":"-1h"}`, `{"forward":"later"}`, `{"forward":"1h","real":true}`,
		`{"backward":"1h"}`, `{"back":"-1h"}`, `{"back":"1h","forward":"1h"}`, `{"at":"later"}`,
		`{"real":true,"frozen":true}`,
		`{"at":"2200-01-01T00:00:00Z"}`} {
		h.json(t, 400, "POST", "/console/clock", body)
	}
	if got := h.json(t, 200, "GET", "/console/clock", "")["offset"]; got != "0s" {
		t.Errorf("refused requests moved the clock by %v", got)
	}
}

func TestTheClockGoesBackAndStandsStill(t *testing.T) {
	h := newFixture(t)
	if got := h.json(t, 200, "POST", "/console/clock", `{"back":"1h"}`)["offset"]; got != "-1h0m0s" {
		t.Errorf("an hour back the offset is %v", got)
	}
	const at = "2030-02-03T04:05:06Z"
	for _, body := range []string{`{"at":"` + at + `","frozen":true}`, `{"frozen":true}`} {
		if clock := h.json(t, 200, "POST", "/console/clock", body); clock["now"] != at || clock["frozen"] != true {
			t.Errorf("%s gives %v; want it to stand at %s", body, clock, at)
		}
	}
	if now := h.json(t, 200, "POST", "/console/clock", `{"forward":"1m"}`)["now"]; now != "2030-02-03T04:06:06Z" {
		t.Errorf("a frozen clock that was moved shows %v", now)
	}
	clock := h.json(t, 200, "POST", "/console/clock", `{"frozen":false}`)
	if first := clock["now"].(string); first < at || clock["frozen"] != false {
		t.Errorf("the clock goes from %v on", clock)
	}
	if clock := h.json(t, 200, "POST", "/console/clock", `{"real":true}`); clock["offset"] != "0s" {
		t.Errorf("back at the real time: %v", clock)
	}
}
