package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestProcessorTimeIsTheSumOfUserAndSystemTime(t *testing.T) {
	line := "4711 (a name) with ) in it) S 1 4711 4711 0 -1 4194560 2000 0 1 0 125 75 3 4 20 0 9 0 100 1000 200"
	if got, err := cpuOf(line); err != nil || got != 2*time.Second {
		t.Errorf("the processor time of %q is %s (%v), expected 2 s: 125 and 75 ticks", line, got, err)
	}
	if _, err := cpuOf("4711 (short) S 1"); err == nil || !strings.Contains(err.Error(), "expected 13 or more") {
		t.Errorf("a short line is the error %v", err)
	}
}

func TestTheOwnProcessHasTimeAndMemory(t *testing.T) {
	for began := time.Now(); time.Since(began) < 30*time.Millisecond; { // more than one tick
	}
	if got, err := CPU(os.Getpid()); err != nil || got == 0 {
		t.Errorf("the processor time of this test is %s (%v)", got, err)
	}
	now, errNow := Memory(os.Getpid(), "VmRSS")
	most, errMost := Memory(os.Getpid(), "VmHWM")
	if errNow != nil || errMost != nil || now < 1<<20 || most < now {
		t.Errorf("resident are %d bytes (%v), at most %d (%v)", now, errNow, most, errMost)
	}
	if _, err := Memory(os.Getpid(), "VmOther"); err == nil {
		t.Error("a field that is not there is no error")
	}
}

func TestAServerThatEndsAtOnceIsAnError(t *testing.T) {
	address, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), "http://"+address, exec.Command("true"))
	if err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("the error is %v", err)
	}
}
