package matrix

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// processes asks a victim that runs: itself, the command from outside, and the files that can be had of it.
func (a *answers) processes(t *testing.T, rows []row, mode string) {
	arguments, stops := plan(rows, "lines", mode)
	p := debugging.StartProcess(t, victim(t), arguments...)
	for _, planned := range stops {
		s := told(t, p.Line())
		sameStop(t, planned, s)
		own := p.Line()
		s.value = relative(s.value, baseIn(t, own))
		a.tell(mode, s)
		a.add(t, mode, "itself", own)
		a.add(t, mode, "process", debugging.Ask(t, "check", "--json", p.PID()))
		a.add(t, mode, "structs", debugging.Ask(t, "structs", "--json", "--wrong", p.PID()))
		snapshot := filepath.Join(t.TempDir(), "snapshot")
		debugging.Ask(t, "snapshot", p.PID(), snapshot)
		a.add(t, mode, "snapshot", debugging.Ask(t, "check", "--json", snapshot))
		a.add(t, mode, "memfd", debugging.Ask(t, "check", "--json", memfd(t, p.PID())))
		if mayDump(t) {
			a.add(t, mode, "kernel's core", debugging.Ask(t, "check", "--json", kernelCore(t, p)))
		}
		_, err := io.WriteString(p.In, "\n")
		require.NoError(t, err)
	}
	_, err := p.End()
	require.NoError(t, err)
}

// mayDump says whether the kernel writes cores into the working folder. Where it does not, the log tells what is left out, and in
// CI, where nobody reads it, the test fails.
func mayDump(t *testing.T) bool {
	t.Helper()
	reason := debugging.CoresElsewhere()
	if reason == "" {
		return true
	}
	reason = "the kernel's core is left out: " + reason
	if os.Getenv("CI") != "" {
		t.Fatal(reason)
	}
	t.Log(reason)
	return false
}

// kernelCore has the kernel make a core of a victim that waits for a line.
func kernelCore(t *testing.T, p *debugging.Process) string {
	t.Helper()
	folder := t.TempDir()
	_, err := fmt.Fprintln(p.In, "core", folder)
	require.NoError(t, err)
	require.Equal(t, "core dumped\n", p.Line())
	cores, err := filepath.Glob(filepath.Join(folder, "core*"))
	require.NoError(t, err)
	require.Len(t, cores, 1)
	return cores[0]
}

// gcore is a core of a victim, made by GDB.
func gcore(t *testing.T, p *debugging.Process) string {
	t.Helper()
	program, err := exec.LookPath("gcore")
	if err != nil {
		debugging.Skip(t, "gcore is missing: apt-get install gdb")
	}
	base := filepath.Join(t.TempDir(), "core")
	out, err := exec.Command(program, "-o", base, p.PID()).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return base + "." + p.PID()
}

// memfd is a path that leads to the heap's memory file.
func memfd(t *testing.T, pid string) string {
	t.Helper()
	folder := fmt.Sprintf("/proc/%s/fd", pid)
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, f := range files {
		path := filepath.Join(folder, f.Name())
		if link, _ := os.Readlink(path); strings.HasPrefix(link, "/memfd:glassheap:") {
			return path
		}
	}
	t.Fatal("the process has no memfd of a heap open")
	return ""
}
