// Package watcher checks a heap of this process from a second one, again and again: a glassheap of its own for each check.
package watcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/glassheap/glassheap/inspect"
)

// Seen is what the checks saw, summed up.
type Seen struct {
	Checks   int               `json:"checks"`
	Findings int               `json:"findings"` // of all checks
	First    []inspect.Finding `json:"first_findings,omitempty"`
	Stops    int               `json:"stops"`           // how often this process was held still
	Longest  time.Duration     `json:"longest_stop_ns"` // of them
}

// mostKept is how many findings are kept whole.
const mostKept = 20

// Watcher checks one heap of this process. Its methods are for one goroutine.
type Watcher struct {
	heap   string
	cancel context.CancelFunc
	done   chan error
	seen   Seen
}

// Start begins to check the heap with this name, one check after the other, until Stop.
func Start(ctx context.Context, heap string) *Watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &Watcher{heap: heap, cancel: cancel, done: make(chan error, 1)}
	go func() {
		var err error
		for err == nil && ctx.Err() == nil {
			err = w.check(ctx)
		}
		if ctx.Err() != nil {
			err = nil // a check that was interrupted has not failed
		}
		w.done <- err
	}()
	return w
}

// Stop ends the checks, makes a last one of the heap as it is now, and returns what all of them saw. An error says that a
// check could not be made.
func (w *Watcher) Stop(ctx context.Context) (Seen, error) {
	w.cancel()
	err := <-w.done
	if err == nil {
		err = w.check(ctx)
	}
	return w.seen, err
}

// check runs glassheap check on this process.
func (w *Watcher) check(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("the checker can't be started: %w", err)
	}
	c := exec.CommandContext(ctx, program, "check", "--json", "--pid", strconv.Itoa(os.Getpid()), "--heap", w.heap)
	var out, complaint strings.Builder
	c.Stdout, c.Stderr = &out, &complaint
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	if err := c.Start(); err != nil {
		return fmt.Errorf("the checker can't be started: %w", err)
	}
	letTrace(c.Process.Pid)
	failure := c.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var status *exec.ExitError
	if failure != nil && !(errors.As(failure, &status) && status.ExitCode() == 1) {
		return fmt.Errorf("the checker failed: %w: %s", failure, strings.TrimSpace(complaint.String()))
	}
	var r inspect.CheckReport
	if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
		return fmt.Errorf("the checker's answer is not readable: %w", err)
	}
	w.seen.Checks++
	w.seen.Findings += len(r.Findings)
	w.seen.Stops += r.Stops
	w.seen.Longest = max(w.seen.Longest, r.Stopped)
	w.seen.First = append(w.seen.First, r.Findings[:min(len(r.Findings), mostKept-len(w.seen.First))]...)
	return nil
}
