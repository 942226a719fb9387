package gdb

import (
	"encoding/binary"
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
	transcript := play(t, "glassheap check\nglassheap bins", victim(t), gcore(t, c.PID()))
	out := strings.ReplaceAll(answer(t, transcript, "glassheap check"), "\n", " ")
	if strings.Contains(out, "healthy") {
		t.Log("this gcore reads past guard pages")
		return
	}
	require.Contains(t, out, "the core has lost the memory of 1 arena (0)")
}

// TestCoreOfACrash: the kernel's own core of a program that ran over a block and then into a nil pointer.
func TestCoreOfACrash(t *testing.T) {
	t.Parallel()
	needGDB(t)
	folder := t.TempDir()
	pattern, err := os.ReadFile("/proc/sys/kernel/core_pattern")
	if err != nil || strings.ContainsAny(string(pattern), "|/") {
		debugging.Skip(t, fmt.Sprintf("cores do not land in the working folder: write core to /proc/sys/kernel/core_pattern, which holds %s", pattern))
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

// TestNotesOfCoresAreNotTrusted.
func TestNotesOfCoresAreNotTrusted(t *testing.T) {
	order := binary.LittleEndian
	words := func(values ...uint64) (b []byte) {
		for _, v := range values {
			b = order.AppendUint64(b, v)
		}
		return b
	}
	whole := append(words(2, 4096, 0x1000, 0x2000, 0, 0x2000, 0x3000, 1), "/bin/a\x00/bin/b\x00"...)
	require.Equal(t, "/bin/a", fileAt(order, whole, 0x1fff))
	require.Equal(t, "/bin/b", fileAt(order, whole, 0x2000))
	require.Empty(t, fileAt(order, whole, 0x3000))
	for n := range whole {
		require.NotPanics(t, func() { fileAt(order, whole[:n], 0x2000) })
	}
	require.Empty(t, fileAt(order, append(words(1<<61, 4096), whole...), 0x2000))
	note := append(order.AppendUint32(order.AppendUint32(order.AppendUint32(nil, 5), 3), noteFiles), "CORE\x00\x00\x00\x00abc\x00"...)
	seen := 0
	eachNote(order, append(note, note...), func(kind uint32, content []byte) {
		seen++
		require.EqualValues(t, noteFiles, kind)
		require.Equal(t, "abc", string(content))
	})
	require.Equal(t, 2, seen)
	for n := range note {
		require.NotPanics(t, func() { eachNote(order, note[:n], func(uint32, []byte) {}) })
	}
}
