package process

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestProcessorTimeIsThatOfTheKernelsAccounts(t *testing.T) {
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; { // a loop that takes time
	}
	before := accounts(t)
	got, err := CPU(os.Getpid())
	if after := accounts(t); err != nil || got < before || got > after+2*tick { // user and system time, each rounded down
		t.Errorf("the processor time is %s (%v); it was %s before, and %s after it", got, err, before, after)
	}
	if _, err := CPU(noProcess); err == nil || !strings.Contains(err.Error(), "does it run?") {
		t.Errorf("the error without a process is %v", err)
	}
}

const (
	tick      = 10 * time.Millisecond // the unit in /proc/PID/stat
	noProcess = 1 << 23               // the kernel gives smaller numbers
)

// accounts is the processor time of this test by proc_pid_stat(5).
func accounts(t *testing.T) time.Duration {
	line, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(line[strings.LastIndex(string(line), ")")+1:])) // from the third
	user, errUser := strconv.Atoi(fields[11])
	system, errSystem := strconv.Atoi(fields[12])
	if errUser != nil || errSystem != nil {
		t.Fatalf("%s: %v, %v", line, errUser, errSystem)
	}
	return time.Duration(user+system) * tick
}

func TestResidentMemoryIsAtMostItsPeak(t *testing.T) {
	now, errNow := Memory(os.Getpid(), "VmRSS")
	most, errMost := Memory(os.Getpid(), "VmHWM")
	if errNow != nil || errMost != nil || now < 1<<20 || most < now {
		t.Errorf("resident are %d bytes (%v), at most %d (%v)", now, errNow, most, errMost)
	}
	if _, err := Memory(os.Getpid(), "VmOther"); err == nil || !strings.Contains(err.Error(), `no line with "VmOther:"`) {
		t.Errorf("a field that is not there is the error %v", err)
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
