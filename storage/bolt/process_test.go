package bolt_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
)

// childPath is set, in a second process of this test program, to the file that it opens and writes to until it is
// killed.
const childPath = "HUSH_BOLT_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childPath); path != "" {
		beKilled(path)
	}
	os.Exit(m.Run())
}

const childWriters = 8

// beKilled counts up one record for each writer, spends one code after the other, and says on standard output what was
// acknowledged: the writer's number and how far it came.
func beKilled(path string) {
	s, err := bolt.Open(path, time.Now)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	inParallel(childWriters, func(writer int) {
		for {
			n, err := childStep(s, writer)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			_, _ = os.Stdout.WriteString(fmt.Sprintf("%d %d\n", writer, n)) // one write, so that lines stay whole
		}
	})
}

func childStep(s storage.Store, writer int) (n int, err error) {
	ctx := context.Background()
	err = s.Update(ctx, "counter"+strconv.Itoa(writer), time.Hour, func(old []byte) ([]byte, error) {
		n, _ = strconv.Atoi(string(old))
		n++
		return []byte(strconv.Itoa(n)), nil
	})
	if err != nil {
		return n, err
	}
	code := codeKey(writer, n)
	if err := s.Put(ctx, code, []byte("fresh"), time.Hour); err != nil {
		return n, err
	}
	return n, s.Update(ctx, code, storage.KeepTTL, func(old []byte) ([]byte, error) {
		if string(old) != "fresh" {
			return nil, fmt.Errorf("%s is %q; want fresh", code, old)
		}
		return []byte("spent"), nil
	})
}

func codeKey(writer, n int) string { return fmt.Sprintf("code%d/%d", writer, n) }

// child is the second process.
type child struct {
	*exec.Cmd
	lines *bufio.Reader
}

func startChild(t *testing.T, path string) *child {
	t.Helper()
	c := &child{Cmd: exec.CommandContext(t.Context(), os.Args[0])}
	c.Env = append(os.Environ(), childPath+"="+path)
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewReader(output)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := c.lines.ReadString('\n'); line != "open\n" {
		t.Fatalf("the second process says %q, %v", line, err)
	}
	return c
}

// kill ends the process as kill -9 does, and returns what it had said since it started.
func (c *child) kill(t *testing.T, after time.Duration) string {
	t.Helper()
	time.AfterFunc(after, func() { _ = c.Process.Kill() })
	var said bytes.Buffer
	_, err := io.Copy(&said, c.lines)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // signal: killed
	return said.String()
}

func TestWhatWasAcknowledgedSurvivesKill9(t *testing.T) {
	path := newPath(t)
	reached := [childWriters]int{} // by each writer's counter
	for range 20 {
		c := startChild(t, path)
		said := c.kill(t, rand.N(150*time.Millisecond))
		told := reached
		for line := range strings.Lines(said) {
			var writer, n int
			if _, err := fmt.Sscanf(line, "%d %d\n", &writer, &n); err != nil {
				t.Fatalf("the second process says %q", line)
			}
			if n != told[writer]+1 {
				t.Fatalf("writer %d went from %d to %d", writer, told[writer], n)
			}
			told[writer] = n
		}
		reached = wantAcknowledged(t, path, told, reached)
	}
	t.Logf("the counters reached %v", reached)
}

// wantAcknowledged holds the file against what the writers told, and returns what their counters show: one more where
// a writer was killed before it could tell.
func wantAcknowledged(t *testing.T, path string, told, before [childWriters]int) (reached [childWriters]int) {
	t.Helper()
	s := open(t, path, time.Now)
	defer closeStore(t, s)
	for writer, n := range told {
		value, err := s.Get(t.Context(), "counter"+strconv.Itoa(writer))
		if err != nil && (n > 0 || !errors.Is(err, storage.ErrNotFound)) {
			t.Fatalf("counter %d: %v; acknowledged was %d", writer, err, n)
		}
		reached[writer], _ = strconv.Atoi(string(value))
		if reached[writer] != n && reached[writer] != n+1 {
			t.Fatalf("counter %d is %q; acknowledged was %d", writer, value, n)
		}
		for code := before[writer] + 1; code <= n; code++ {
			want(t, s, codeKey(writer, code), "spent")
		}
	}
	wantSound(t, s)
	return reached
}

// wantSound holds the file against its own rules.
func wantSound(t *testing.T, s *bolt.Store) {
	t.Helper()
	tx, err := s.Database().Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	for err := range tx.Check() {
		t.Fatal(err)
	}
	if records, expiry := countOpen(s); records != expiry {
		t.Fatalf("%d records, and %d times of expiry", records, expiry)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	path := newPath(t)
	c := startChild(t, path)
	began := time.Now()
	_, err := bolt.Open(path, time.Now)
	if err == nil || !strings.Contains(err.Error(), "another process uses it: stop that one") {
		t.Errorf("Open = %v; want what to do about the other process", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("Open took %v", took)
	}
	if said := c.kill(t, 0); strings.Contains(said, "storage") {
		t.Errorf("the first process was disturbed: %s", said)
	}
	closeStore(t, open(t, path, time.Now)) // a dead process locks nothing
}

func TestOpenWaitsForAProcessThatIsJustEnding(t *testing.T) {
	path := newPath(t)
	s := open(t, path, time.Now)
	time.AfterFunc(200*time.Millisecond, func() { _ = s.Close() })
	closeStore(t, open(t, path, time.Now))
}
