package debugging

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Steady is the environment in which programs do the same in each run: without preemption by signals each breakpoint is met
// once, and with one P a block that is freed is the next to be allocated.
var Steady = []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1"}

// mostAnswerTime is when a program that has to say something hangs.
const mostAnswerTime = 30 * time.Second

// Process is a program that is looked at from outside.
type Process struct {
	*exec.Cmd
	In  io.WriteCloser
	Out *bufio.Reader // both of its outputs, in the order in which they were written
	t   *testing.T
	end error
	had bool
}

// StartProcess starts a program. It ends with the test.
func StartProcess(t *testing.T, program string, arguments ...string) *Process {
	t.Helper()
	p := &Process{Cmd: exec.Command(program, arguments...), t: t}
	p.Env = append(os.Environ(), Steady...)
	var err error
	p.In, err = p.StdinPipe()
	require.NoError(t, err)
	out, write, err := os.Pipe()
	require.NoError(t, err)
	p.Out, p.Stdout, p.Stderr = bufio.NewReader(out), write, write
	require.NoError(t, p.Start())
	write.Close()
	t.Cleanup(func() { _, _ = p.End(); out.Close() })
	return p
}

// PID is the process's id, in the digits that a command takes.
func (p *Process) PID() string { return strconv.Itoa(p.Process.Pid) }

// Line is the next line that the process writes.
func (p *Process) Line() string {
	p.t.Helper()
	hangs := time.AfterFunc(mostAnswerTime, func() { _ = p.Process.Kill() })
	defer hangs.Stop()
	line, err := p.Out.ReadString('\n')
	require.NoError(p.t, err, "it hung, or has ended: %s", line)
	return line
}

// End closes the input, waits for the end of the process, and returns what it has written meanwhile, and how it ended.
func (p *Process) End() (said string, err error) {
	if p.had {
		return "", p.end
	}
	p.In.Close()
	hangs := time.AfterFunc(mostAnswerTime, func() { _ = p.Process.Kill() })
	defer hangs.Stop()
	rest, _ := io.ReadAll(p.Out)
	p.had, p.end = true, p.Wait()
	return string(rest), p.end
}

// Ask asks the glassheap command, and returns all that it prints. It has to come to an end, and to have understood; its status
// may say that something was found.
func Ask(t *testing.T, words ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), mostAnswerTime)
	defer cancel()
	c := exec.CommandContext(ctx, Program(t, Command), words...)
	c.Env = append(os.Environ(), "NO_COLOR=1")
	out, err := c.CombinedOutput()
	require.NoError(t, ctx.Err(), "%s hangs", words)
	const found = 1
	if c.ProcessState.ExitCode() != found {
		require.NoError(t, err, "%s: %s", words, out)
	}
	return string(out)
}
