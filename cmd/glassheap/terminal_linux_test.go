package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
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
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	require.NoError(t, err)
	defer master.Close()
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	defer terminal.Close()
	require.NoError(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 50, Col: columns}))

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
