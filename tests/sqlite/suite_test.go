//go:build modules && linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

// suite runs the tests of one program, each in a process of its own.
type suite struct {
	program   string
	folder    string // where it runs
	glassheap string // the command that checks it meanwhile; empty: nobody does
}

// mostTime is for one test; what takes longer has not passed. TestConcurrentGoroutines builds the package once more, with the race
// detector.
const mostTime = 6 * time.Minute

var (
	listed = regexp.MustCompile(`(?m)^Test\w+$`)
	passed = regexp.MustCompile(`(?m)^\s*--- PASS: (\S+)`)
)

// names are the tests that the program has.
func (s *suite) names(t *testing.T) []string {
	t.Helper()
	c := exec.Command(s.program, "-test.list", "^Test")
	c.Dir = s.folder
	said, err := c.CombinedOutput()
	require.NoError(t, err, "%s", said)
	names := listed.FindAllString(string(said), -1)
	require.NotEmpty(t, names, "%s", said)
	return names
}

// outcome is what came of a suite.
type outcome struct {
	passed           []string // tests and their subtests
	checks, findings int
	said             map[string]string // by tests that did not pass
}

// run runs the tests named with what GLASSHEAP is to be.
func (s *suite) run(t *testing.T, names []string, environment string) outcome {
	t.Helper()
	o := outcome{said: map[string]string{}}
	for _, name := range names {
		ctx, cancel := context.WithTimeout(t.Context(), mostTime)
		log, err := os.Create(filepath.Join(t.TempDir(), "log"))
		require.NoError(t, err)
		c := exec.CommandContext(ctx, s.program, "-test.run", "^"+name+"$", "-test.v")
		c.Dir, c.Stdout, c.Stderr = s.folder, log, log
		c.Env = append(os.Environ(), "GLASSHEAP="+environment)
		// With it goes what it has started.
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
		require.NoError(t, c.Start())
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		err = s.watch(t, c.Process.Pid, ended, &o)
		cancel()
		require.NoError(t, log.Close())
		said, readErr := os.ReadFile(log.Name())
		require.NoError(t, readErr)
		for _, match := range passed.FindAllSubmatch(said, -1) {
			o.passed = append(o.passed, string(match[1]))
		}
		if err != nil {
			o.said[name] = fmt.Sprintf("%v\n%s", err, said)
		}
	}
	slices.Sort(o.passed)
	return o
}

// add takes what came of running those again that had not passed.
func (o *outcome) add(again outcome) {
	o.passed = append(o.passed, again.passed...)
	slices.Sort(o.passed)
	o.passed = slices.Compact(o.passed)
	o.checks += again.checks
	o.findings += again.findings
	o.said = again.said
}

// watch asks glassheap about a process, again and again, until it has ended.
func (s *suite) watch(t *testing.T, pid int, ended <-chan error, o *outcome) error {
	t.Helper()
	if s.glassheap == "" {
		return <-ended
	}
	for {
		select {
		case err := <-ended:
			return err
		default:
		}
		said, err := exec.Command(s.glassheap, "check", "--pid", strconv.Itoa(pid)).CombinedOutput()
		status := (*exec.ExitError)(nil)
		switch {
		case err == nil:
			o.checks++
		case errors.As(err, &status) && status.ExitCode() == 1:
			o.checks++
			o.findings++
			t.Errorf("a finding:\n%s", said)
		}
		// Exit status 2: it has no heap yet, or has ended. A pause, so that the tests have a processor.
		select {
		case err := <-ended:
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// compare runs a suite on glassheap, in both modes, and requires that what passed with the original passes.
func compare(t *testing.T, original outcome, names []string, dropIn suite) {
	t.Helper()
	root := upstream.Repository(t)
	dropIn.glassheap = filepath.Join(t.TempDir(), "glassheap")
	upstream.Go(t, root, "build", "-o", dropIn.glassheap, "./cmd/glassheap")
	t.Logf("original: %d tests and subtests pass, of %d tests these do not: %v", len(original.passed), len(names), keys(original.said))
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return original.said[name] != "" })
	for _, mode := range []string{"sealed", "audit"} {
		o := dropIn.run(t, names, "mode="+mode)
		if failed := keys(o.said); len(failed) > 0 { // by chance, perhaps: some depend on time
			t.Logf("%s: once more: %v", mode, failed)
			o.add(dropIn.run(t, failed, "mode="+mode))
		}
		t.Logf("%s: %d tests and subtests pass, %d checks meanwhile with %d findings", mode, len(o.passed), o.checks, o.findings)
		require.NotZero(t, o.checks)
		require.Zero(t, o.findings)
		for name, said := range o.said {
			t.Errorf("%s passes with modernc.org/memory, not %s:\n%s", name, mode, said)
		}
		for _, name := range original.passed {
			if _, found := slices.BinarySearch(o.passed, name); !found && !within(name, original.said) {
				t.Errorf("%s passes with modernc.org/memory, not %s", name, mode)
			}
		}
	}
}

// within reports whether a subtest's test is one of those that did not pass: how far it came is chance.
func within(name string, failed map[string]string) bool {
	for test := range failed {
		if len(name) > len(test) && name[:len(test)+1] == test+"/" {
			return true
		}
	}
	return false
}

func keys(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
