//go:build modules && linux

package arrow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// suite is the tests of one package, in a program.
type suite struct {
	program   string
	folder    string // where it runs
	glassheap string // the command that checks it; empty: it has no heap
}

// mostTime is for one run of a program; what has not passed by then has not passed.
const mostTime = 10 * time.Minute

var (
	passed   = regexp.MustCompile(`(?m)^\s*--- PASS: (\S+)`)
	reported = regexp.MustCompile(`(?m)^glassheap: .*`)
)

// outcome is what came of a suite.
type outcome struct {
	passed   []string // tests and their subtests
	said     string   // by the program
	ended    error
	checks   int      // that were made while it ran, and of the file that it left
	findings []string // by these, and violations that the program reported
}

// run runs the tests that match a pattern, in a mode.
func (s *suite) run(t *testing.T, pattern, mode string) (o outcome) {
	t.Helper()
	heaps := t.TempDir()
	var said bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), mostTime)
	defer cancel()
	c := exec.CommandContext(ctx, s.program, "-test.run", pattern, "-test.v")
	c.Dir, c.Stdout, c.Stderr = s.folder, &said, &said
	// A violation is told and the program goes on, so that one does not hide what comes after.
	c.Env = append(os.Environ(), "GLASSHEAP=policy=report,mode="+mode, "GLASSHEAP_TEST_FOLDER="+heaps)
	// With it goes what it has started.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	require.NoError(t, c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	o.ended = s.watch(t, c.Process.Pid, ended, &o)
	o.said = said.String()
	for _, match := range passed.FindAllStringSubmatch(o.said, -1) {
		o.passed = append(o.passed, match[1])
	}
	slices.Sort(o.passed)
	for _, at := range reported.FindAllStringIndex(o.said, -1) {
		o.findings = append(o.findings, paragraph(o.said[at[0]:]))
	}
	if s.glassheap != "" {
		files, err := filepath.Glob(filepath.Join(heaps, "*.heap"))
		require.NoError(t, err)
		require.NotEmpty(t, files, "the program is not on glassheap")
		for _, file := range files {
			s.check(&o, "--exe", s.program, file)
			require.NoError(t, os.Remove(file))
		}
	}
	return o
}

// paragraph is a report as it stands in a log: its first line, and those below it that are indented.
func paragraph(text string) string {
	lines := strings.SplitAfter(text, "\n")
	n := 1
	for n < len(lines) && strings.HasPrefix(lines[n], "   ") {
		n++
	}
	return strings.Join(lines[:n], "")
}

// watch asks glassheap about a process, again and again, until it has ended.
func (s *suite) watch(t *testing.T, pid int, ended <-chan error, o *outcome) error {
	t.Helper()
	if s.glassheap == "" {
		return <-ended
	}
	for {
		s.check(o, "--pid", strconv.Itoa(pid))
		select { // a pause, so that the tests have a processor
		case err := <-ended:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// check asks glassheap once. Exit status 2 is no answer: a process has no heap yet, or has ended.
func (s *suite) check(o *outcome, arguments ...string) {
	said, err := exec.Command(s.glassheap, append([]string{"check"}, arguments...)...).CombinedOutput()
	status := (*exec.ExitError)(nil)
	switch {
	case err == nil:
		o.checks++
	case errors.As(err, &status) && status.ExitCode() == 1:
		o.checks++
		o.findings = append(o.findings, string(said))
	}
}

// again runs those tests once more, each in a process of its own, that passed with the original and not here: one that ended
// the program took those behind it along.
func (s *suite) again(t *testing.T, o *outcome, original outcome, mode string) {
	t.Helper()
	for _, name := range missing(o.passed, original.passed) {
		if strings.Contains(name, "/") {
			continue
		}
		alone := s.run(t, "^"+regexp.QuoteMeta(name)+"$", mode)
		if alone.ended != nil {
			t.Logf("%s alone, %s: %v\n%s", name, mode, alone.ended, end(alone.said))
		}
		o.passed = append(o.passed, alone.passed...)
		o.checks += alone.checks
		o.findings = append(o.findings, alone.findings...)
	}
	slices.Sort(o.passed)
	o.passed = slices.Compact(o.passed)
}

// missing are those of wanted that are not among sorted names.
func missing(sorted, wanted []string) (names []string) {
	for _, name := range wanted {
		if _, found := slices.BinarySearch(sorted, name); !found {
			names = append(names, name)
		}
	}
	return names
}

// end is the last part of what a program said.
func end(said string) string {
	const most = 4000
	if len(said) <= most {
		return said
	}
	return fmt.Sprintf("… %d bytes\n%s", len(said)-most, said[len(said)-most:])
}
