package bolt_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
)

// runsAlone tells whether this is a process for the one test. If it is not, it starts one and waits for it. The limit
// of the test must not apply to the file that go test writes meanwhile.
func runsAlone(t *testing.T) bool {
	t.Helper()
	const variable = "HUSH_TEST_ALONE"
	if os.Getenv(variable) != "" {
		return true
	}
	alone := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run", "^"+t.Name()+"$")
	alone.Env = append(os.Environ(), variable+"=1")
	if output, err := alone.CombinedOutput(); err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, output)
	}
	return false
}

// allowFileSize says how large a file this process may make: what a full disk is, for a test. It returns what it was.
func allowFileSize(t *testing.T, bytes uint64) (before uint64) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	before, limit.Cur = limit.Cur, bytes
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	return before
}

func TestAFullDiskFailsWritesUntilThereIsSpace(t *testing.T) {
	if !runsAlone(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	path := newPath(t)
	s := open(t, path, time.Now)
	mustPut(t, s, "early", "v", time.Hour)

	before := allowFileSize(t, 4<<20)
	defer allowFileSize(t, before)
	stored, err := 0, error(nil)
	for err == nil {
		if err = s.Put(t.Context(), strconv.Itoa(stored), make([]byte, 100_000), time.Hour); err == nil {
			stored++
		}
	}
	wantError(t, err, storage.ErrUnavailable)
	want(t, s, "early", "v")

	allowFileSize(t, 4096) // not even what is free in the file
	if err := s.Ping(t.Context()); !errors.Is(err, storage.ErrUnavailable) ||
		!strings.Contains(err.Error(), "free some space") {
		t.Errorf("Ping = %v; want what to do", err)
	}
	want(t, s, "early", "v")

	allowFileSize(t, before)
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v, though there is space again", err)
	}
	mustPut(t, s, "late", "v", time.Hour)
	closeStore(t, s)
	s = open(t, path, time.Now)
	want(t, s, "late", "v")
	for i := range stored {
		want(t, s, strconv.Itoa(i), string(make([]byte, 100_000)))
	}
	wantSound(t, s)
}

// On a full disk a small change of one page may succeed, while no record of a sign-in can be stored.
func TestAStoreIsNotUsableWhileRecordsOfSessionsDoNotFit(t *testing.T) {
	if !runsAlone(t) {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	for _, session := range []int{300, 3_000} {
		t.Run(fmt.Sprint(session, " bytes"), func(t *testing.T) {
			s := open(t, newPath(t), time.Now)
			before := allowFileSize(t, 4<<20)
			defer allowFileSize(t, before)
			for _, size := range []int{100_000, 10_000, session} {
				var err error
				for i := 0; err == nil; i++ {
					err = s.Put(t.Context(), fmt.Sprint(size, "/", i), make([]byte, size), time.Hour)
				}
				wantError(t, err, storage.ErrUnavailable)
			}
			wasFull, wrong := true, 0
			for i := range 20 {
				_ = s.Put(t.Context(), "small", []byte("v"), time.Hour) // it may fit
				isUsable := s.Ping(t.Context()) == nil
				isFull := s.Put(t.Context(), fmt.Sprint("session", i), make([]byte, session), time.Hour) != nil
				if wasFull && isUsable && isFull {
					wrong++
				}
				wasFull = isFull
			}
			if wrong > 0 {
				t.Errorf("%d of 20 times Ping gave nil between two sessions that could not be stored", wrong)
			}
			allowFileSize(t, before)
			if err := s.Ping(t.Context()); err != nil {
				t.Errorf("Ping = %v, though there is space again", err)
			}
			mustPut(t, s, "session", string(make([]byte, session)), time.Hour)
		})
	}
}

func TestNothingIsAcknowledgedThatTheNextStartWouldNotFind(t *testing.T) {
	path := newPath(t)
	s := open(t, path, time.Now)
	mustPut(t, s, "k", "v", time.Hour)
	if err := os.Rename(path, path+".moved"); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{s.Ping(t.Context()), s.Put(t.Context(), "k", []byte("lost"), time.Hour)} {
		if !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "put it back, or restart") {
			t.Errorf("without the file: %v; want what to do", err)
		}
	}
	write(t, path, nil) // another one
	wantError(t, s.Ping(t.Context()), storage.ErrUnavailable)

	if err := os.Rename(path+".moved", path); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("Ping = %v, though the file is back", err)
	}
	want(t, s, "k", "v")
	mustPut(t, s, "k", "w", time.Hour)
}

func TestAFileThatIsCutInUseDoesNotEndTheProcess(t *testing.T) {
	path := newPath(t)
	s := open(t, path, time.Now)
	value := strings.Repeat("v", 100_000)
	inParallel(50, func(i int) { mustPut(t, s, strconv.Itoa(i), value, time.Hour) })
	if err := os.Truncate(path, 64<<10); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range 50 {
		got, err := s.Get(t.Context(), strconv.Itoa(i))
		if err != nil {
			wantError(t, err, storage.ErrUnavailable)
			failed++
		} else if string(got) != value {
			t.Errorf("Get gave %d bytes that nobody stored", len(got))
		}
	}
	if failed == 0 {
		t.Error("every record is there: this test cut nothing off")
	}
	_ = s.Put(t.Context(), "k", []byte("v"), time.Hour) // may or may not need what is gone
	_ = s.Close()                                       // and nothing hangs
}

func TestAfterAFailedSyncNothingIsWritten(t *testing.T) {
	path := newPath(t)
	s := open(t, path, time.Now)
	mustPut(t, s, "k", "v", time.Hour)
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0) // takes every write and knows no fsync
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if err := syscall.Dup3(int(null.Fd()), descriptor(t, path), syscall.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := s.Put(t.Context(), "k", []byte("w"), time.Hour)
		if !errors.Is(err, storage.ErrUnavailable) || !strings.Contains(err.Error(), "check the disk, then restart") {
			t.Errorf("Put = %v; want what to do", err)
		}
	}
	wantError(t, s.Ping(t.Context()), storage.ErrUnavailable)
	want(t, s, "k", "v")
	_ = s.Close()
	want(t, open(t, path, time.Now), "k", "v")
}

// descriptor is the number under which this process has the file open.
func descriptor(t *testing.T, path string) int {
	t.Helper()
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, _ := os.Readlink(link); to == path {
			n, _ := strconv.Atoi(filepath.Base(link))
			return n
		}
	}
	t.Fatalf("%s is not open", path)
	return 0
}

func TestAFileOfSomebodyElseIsRefused(t *testing.T) {
	path := newPath(t)
	closeStore(t, open(t, path, time.Now))
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	asNobody(func() {
		_, err := bolt.Open(path, time.Now)
		if err == nil || !strings.Contains(err.Error(), "change its owner or that of its directory") {
			t.Errorf("Open = %v; want what to do about the permission", err)
		}
	})
}

// asNobody does something with the rights of nobody, if this process has those of root: root may write everywhere.
func asNobody(do func()) {
	const nobody = 65534
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Geteuid() == 0 { // the raw call: it is for this thread alone
		_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		defer func() { _, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 0, 0, 0) }()
	}
	do()
}
