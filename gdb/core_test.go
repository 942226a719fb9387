package gdb

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// gcore makes a core of a process that holds little beside the heap: gcore would write out everything that a Go program has
// reserved. It gives up long before the disk is full.
func gcore(t *testing.T, pid string) string {
	t.Helper()
	if _, err := exec.LookPath("gcore"); err != nil {
		debugging.Skip(t, "gcore is not installed; it comes with gdb")
	}
	const onlySharedMemory = "0x2" // core(5), coredump_filter
	require.NoError(t, os.WriteFile("/proc/"+pid+"/coredump_filter", []byte(onlySharedMemory), 0o600))
	base := filepath.Join(t.TempDir(), "core")
	out, err := exec.Command("sh", "-c", "ulimit -f 400000 && exec gcore -o "+base+" "+pid).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return base + "." + pid
}

// TestCoresOfGDB: the answers about a core are those about the process that it was made of; without symbols too.
func TestCoresOfGDB(t *testing.T) {
	t.Parallel()
	needGDB(t)
	for name, build := range map[string]func(*testing.T) string{"with symbols": victim, "stripped": strippedVictim} {
		t.Run(name, func(t *testing.T) {
			c := startVictim(t, build(t), "small")
			core := gcore(t, c.PID())
			questions := []string{"check --json", "structs --json", "bins --json", "slabs --json", "blocks --json 8", "math --json"}
			commands := "glassheap watch 0x10\nglassheap check\n"
			for _, q := range questions {
				commands += "glassheap " + q + "\n"
			}
			transcript := play(t, commands, build(t), core)
			for _, q := range questions {
				require.Equal(t, facts(t, debugging.Ask(t, slices.Insert(strings.Fields(q), 1, c.PID())...)), facts(t, answer(t, transcript, "glassheap "+q)), q)
			}
			require.Contains(t, answer(t, transcript, "glassheap check"), fmt.Sprintf(`heap "sessions" in a core of process %s (victim), in gdb`, c.PID()))
			require.Contains(t, answer(t, transcript, "glassheap watch 0x10"), "nothing can be watched in a core")
		})
	}
}

// TestCoresWithALoss: gcore leaves out what lies behind a guard page. That is said, for what is not there looks damaged.
func TestCoresWithALoss(t *testing.T) {
	t.Parallel()
	needGDB(t)
	c := startVictim(t, victim(t), "wait")
	core := gcore(t, c.PID())
	transcript := play(t, "glassheap check\nglassheap bins", victim(t), core)
	out := strings.ReplaceAll(answer(t, transcript, "glassheap check"), "\n", " ")
	if strings.Contains(out, "healthy") {
		t.Log("this gcore reads past guard pages")
		return
	}
	require.Contains(t, out, "the core has lost the memory of 1 arena (0)")
	direct := strings.Join(strings.Fields(debugging.Ask(t, "check", core)), " ")
	require.Contains(t, direct, "blocks could not be looked at")
	require.Contains(t, direct, "healthy, as far as the core goes.")
}

// TestCoreOfACrash: the kernel's own core of a program that ran over a block and then into a nil pointer.
func TestCoreOfACrash(t *testing.T) {
	t.Parallel()
	needGDB(t)
	folder := t.TempDir()
	if reason := debugging.CoresElsewhere(); reason != "" {
		debugging.Skip(t, reason)
	}
	c := exec.Command("sh", "-c", "ulimit -c unlimited 2>/dev/null || ulimit -c $(ulimit -H -c); exec "+victim(t)+" crash")
	c.Dir, c.Env = folder, append(append(os.Environ(), debugging.Steady...), "GOTRACEBACK=crash")
	out, err := c.CombinedOutput()
	require.Error(t, err, "it crashes: %s", out)
	cores, err := filepath.Glob(filepath.Join(folder, "core*"))
	require.NoError(t, err)
	if len(cores) == 0 {
		debugging.Skip(t, "the system wrote no core: raise ulimit -H -c")
	}
	line, err := Session{GDB: "gdb", Script: "s.py", Target: cores[0]}.CommandLine()
	require.NoError(t, err)
	require.Equal(t, []string{"-se", victim(t), "-c", cores[0]}, line[len(line)-4:], "the core tells its program")
	transcript := play(t, "glassheap check\nglassheap bins --json\nprint $gh_status", "-se", victim(t), "-c", cores[0])
	require.Contains(t, answer(t, transcript, "glassheap check"), "overflow by 1 byte, past a live block of 40")
	require.Contains(t, answer(t, transcript, "glassheap check"), "1 finding.")
	require.Contains(t, answer(t, transcript, "glassheap bins --json"), `"live": 43`)
}
