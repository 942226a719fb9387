package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience is how long anything is waited for that is bound to come.
const patience = 30 * time.Second

// spawned is a program that runs beside a script or a test. Only its starter ends it, by its id.
type spawned struct {
	*exec.Cmd
	input io.WriteCloser
	ended chan struct{} // closed when the process has ended; why says how
	why   error

	lock    sync.Mutex
	output  bytes.Buffer  // both of its outputs
	written chan struct{} // closed, and made anew, with each write
}

// launch starts a program. Its input is what is given, or else what is written to s.input. Its end is waited for by reap.
func launch(input io.Reader, program string, args ...string) (s *spawned, err error) {
	s = &spawned{Cmd: exec.Command(program, args...), ended: make(chan struct{}), written: make(chan struct{})}
	s.Env = append(os.Environ(), raceSetting)
	s.Stdin, s.Stdout, s.Stderr = input, s, s
	if input == nil {
		if s.input, err = s.StdinPipe(); err != nil {
			return nil, err
		}
	}
	return s, s.Start()
}

// raceSetting lets programs of a race test end at once, not a second later.
const raceSetting = "GORACE=atexit_sleep_ms=0"

// reap waits for the end.
func (s *spawned) reap() {
	s.why = s.Wait()
	close(s.ended)
}

// Write takes what the program writes.
func (s *spawned) Write(p []byte) (int, error) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.output.Write(p)
	close(s.written)
	s.written = make(chan struct{})
	return len(p), nil
}

// text is what the program has written, and what is closed when it writes more.
func (s *spawned) text() (string, <-chan struct{}) {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.output.String(), s.written
}

// await waits until the program has written a pattern this many times.
func (s *spawned) await(pattern *regexp.Regexp, times int) error {
	late := time.After(patience)
	for {
		text, more := s.text()
		if len(pattern.FindAllString(text, times)) >= times {
			return nil
		}
		select {
		case <-more:
		case <-s.ended:
			if again, _ := s.text(); len(pattern.FindAllString(again, times)) >= times {
				return nil
			}
			return fmt.Errorf("the program ended (%v) and has not written %s:\n%s", s.why, pattern, text)
		case <-late:
			return fmt.Errorf("the program did not write %s in %v:\n%s", pattern, patience, text)
		}
	}
}

// end waits for the end of a program that was told to end, and returns how it ended.
func (s *spawned) end() error {
	select {
	case <-s.ended:
		return s.why
	case <-time.After(patience):
		return fmt.Errorf("the program did not end in %v", patience)
	}
}

// kill ends the program, whatever it does.
func (s *spawned) kill() {
	_ = s.Process.Kill()
	<-s.ended
}

var (
	spawnedLock sync.Mutex
	spawnedBy   = map[string]*spawned{} // by the script's work directory and the name it gave
)

// theSpawned is the program that a script calls by this name.
func theSpawned(ts *testscript.TestScript, name string) *spawned {
	spawnedLock.Lock()
	defer spawnedLock.Unlock()
	s := spawnedBy[ts.Getenv("WORK")+name]
	if s == nil {
		ts.Fatalf("nothing was spawned as %s", name)
	}
	return s
}

func spawn(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "spawn NAME PATTERN PROGRAM ARGUMENT…")
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	s, err := launch(nil, args[2], args[3:]...)
	ts.Check(err)
	go s.reap()
	ts.Defer(s.kill)
	spawnedLock.Lock()
	spawnedBy[ts.Getenv("WORK")+args[0]] = s
	spawnedLock.Unlock()
	if args[1] != "" {
		ts.Check(s.await(pattern, 1))
	}
	ts.Setenv(args[0], strconv.Itoa(s.Process.Pid))
}

func tell(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 3, "tell NAME LINE PATTERN")
	s := theSpawned(ts, args[0])
	pattern, err := regexp.Compile(args[2])
	ts.Check(err)
	text, _ := s.text()
	_, err = fmt.Fprintln(s.input, args[1])
	ts.Check(err)
	ts.Check(s.await(pattern, len(pattern.FindAllString(text, -1))+1))
}

func interrupt(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "interrupt NAME")
	s := theSpawned(ts, args[0])
	ts.Check(s.Process.Signal(os.Interrupt))
	s.endsWell(ts, args[0])
}

func closeInput(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 1, "close NAME")
	s := theSpawned(ts, args[0])
	ts.Check(s.input.Close())
	s.endsWell(ts, args[0])
}

// endsWell waits for the end of a program that was told to end.
func (s *spawned) endsWell(ts *testscript.TestScript, name string) {
	if err := s.end(); err != nil {
		text, _ := s.text()
		ts.Fatalf("%s: %v:\n%s", name, err, text)
	}
}

func wrote(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "wrote NAME PATTERN")
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	ts.Check(theSpawned(ts, args[0]).await(pattern, 1))
}
