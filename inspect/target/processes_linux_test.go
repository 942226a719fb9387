package target

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestAProcessThatMayNotBeLookedInto is counted, with whose it is, and is no error. The look is that of a thread that has become
// nobody.
func TestAProcessThatMayNotBeLookedInto(t *testing.T) {
	if os.Geteuid() != 0 {
		require.Empty(t, os.Getenv("CI"), "only root can become nobody")
		t.Skip("only root can become nobody: run it as root")
	}
	parent := os.Getppid() // a process may always look at itself
	require.Equal(t, 1, procOf(parent).look().looked)
	// A process of which a thread changes its user may not be looked into from then on, until it says otherwise.
	defer func() { require.NoError(t, unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)) }()
	const nobody = 65534
	looks := make(chan look)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if _, _, failed := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); failed != 0 {
			close(looks)
			return
		}
		looks <- procOf(parent).look()
	}()
	seen, ok := <-looks
	require.True(t, ok, "setresuid failed")
	require.Zero(t, seen.looked)
	require.Empty(t, seen.heaps)
	require.NotNil(t, seen.refused)
	require.Equal(t, Refused{PID: parent, User: "root"}, *seen.refused)
}

// TestThreadsOfTheKernel have no memory: they are not looked into, and nobody is told of them.
func TestThreadsOfTheKernel(t *testing.T) {
	s, err := FindProcesses(t.Context())
	require.NoError(t, err)
	require.Positive(t, s.Processes)
	pids, err := processIDs()
	require.NoError(t, err)
	kernel := 0
	for _, pid := range pids {
		if s, err := procOf(pid).stat(); err == nil && s.kernel {
			kernel++
			l := procOf(pid).look()
			require.True(t, l.refused == nil && l.looked == 0 && l.ended == 0)
		}
	}
	t.Logf("%d processes, %d threads of the kernel", s.Processes, kernel)
	require.Less(t, s.Processes+len(s.Refused)+s.Ended, len(pids)+1)
}

// BenchmarkFindProcesses is what `glassheap ps` costs on this machine.
func BenchmarkFindProcesses(b *testing.B) {
	processes := 0
	for b.Loop() {
		s, err := FindProcesses(b.Context())
		require.NoError(b, err)
		processes = s.Processes
	}
	b.ReportMetric(float64(processes), "processes")
}
