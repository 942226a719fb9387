package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestOnATerminal: text on a terminal is in colours, unless the user wants none, and fits it.
func TestOnATerminal(t *testing.T) {
	colored := func(environment string, args ...string) bool {
		return strings.Contains(onTerminal(t, 80, environment, args...), "\x1b[32mok\x1b[0m")
	}
	require.True(t, colored("TERM=xterm", "math"))
	require.False(t, colored("TERM=dumb", "math"))
	require.False(t, colored("NO_COLOR=1", "math"))
	require.False(t, colored("TERM=xterm", "math", "--color", "never"))
	require.True(t, colored("NO_COLOR=1", "math", "--color", "always"))
	require.False(t, colored("TERM=xterm", "math", "--json"))
	require.NotContains(t, onTerminal(t, 80, "TERM=xterm", "math", "--json"), "\x1b")

	for _, columns := range []uint16{60, 80, 110} {
		note, widest := "", 0
		for line := range strings.Lines(onTerminal(t, columns, "NO_COLOR=1", "math", "--geometry", "notes")) {
			if strings.HasPrefix(line, "note") {
				note = strings.TrimRight(line, "\r\n")
				widest = max(widest, utf8.RuneCountInString(note))
			}
		}
		require.NotEmpty(t, note)
		require.LessOrEqual(t, widest, int(columns))
		require.Greater(t, widest, int(columns)-20, "the notes use the room that there is")
	}
}

// onTerminal is what a glassheap writes whose output is a terminal of this width.
func onTerminal(t *testing.T, columns uint16, environment string, args ...string) string {
	t.Helper()
	master, terminal := newTerminal(t, columns, 50)
	c := exec.Command("glassheap", args...)
	c.Env = append(os.Environ(), raceSetting, "NO_COLOR=", "TERM=xterm", environment)
	c.Stdout, c.Stderr = terminal, terminal
	require.NoError(t, c.Start())
	text := make(chan string)
	go func() {
		var b strings.Builder
		_, _ = bufio.NewReader(master).WriteTo(&b) // ends with an error when the last holder of the terminal lets go of it
		text <- b.String()
	}()
	require.NoError(t, c.Wait())
	terminal.Close()
	return <-text
}

// newTerminal is a terminal of this size: its user's side, and its program's.
func newTerminal(t *testing.T, columns, lines uint16) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	t.Cleanup(func() { master.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { terminal.Close() })
	require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: lines, Col: columns}))
	return master, terminal
}

// TestWatchOnATerminal: a frame fills the screen, keys are obeyed, and what was on the terminal before comes back.
func TestWatchOnATerminal(t *testing.T) {
	w := watch(t, nil, "--repeat", "-1", "--mode", "audit", recordingFile(t, 100_000))
	master, terminal := newTerminal(t, 80, 24)
	c := exec.Command("glassheap", "watch", strconv.Itoa(w.Process.Pid), "--interval", "100ms")
	c.Env = append(os.Environ(), raceSetting, "TERM=xterm-256color")
	c.Stdin, c.Stdout, c.Stderr = terminal, terminal, terminal
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })
	terminal.Close()
	s := &spawned{Cmd: c, ended: make(chan struct{}), written: make(chan struct{})}
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(s, master) // ends with an error when the last holder of the terminal lets go of it
	}()
	go s.reap()
	press := func(key, answer string) {
		t.Helper()
		before, _ := s.text()
		seen := len(regexp.MustCompile(answer).FindAllString(before, -1))
		_, err := master.WriteString(key)
		require.NoError(t, err)
		require.NoError(t, s.await(regexp.MustCompile(answer), seen+1))
	}
	require.NoError(t, s.await(regexp.MustCompile(`live blocks`), 1))
	require.NoError(t, s.await(regexp.MustCompile(`blocks/s`), 1), "the second look has rates")
	press("s", "growth")
	press(" ", "paused")
	_, err := master.WriteString("q")
	require.NoError(t, err)
	require.NoError(t, s.end())
	<-read
	text, _ := s.text()
	require.Contains(t, text, "\x1b[?1049h", "a screen of its own")
	require.Contains(t, text, "\x1b[?1049l", "and back")
	w.requireGoesOn(t)
}

// TestWatchEndsWithTheProcess: it says so.
func TestWatchEndsWithTheProcess(t *testing.T) {
	w := watch(t, nil, "--repeat", "-1", recordingFile(t, 100_000))
	s, err := launch(nil, "glassheap", "watch", "--json", "--interval", "50ms", strconv.Itoa(w.Process.Pid))
	require.NoError(t, err)
	go s.reap()
	require.NoError(t, s.await(regexp.MustCompile(`"live_bytes":`), 4))
	w.killed()
	require.Error(t, s.end())
	require.Equal(t, 2, s.ProcessState.ExitCode())
	text, _ := s.text()
	require.Contains(t, text, "has ended")
}
