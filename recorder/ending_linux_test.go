package recorder

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/inspect"
)

// TestAZombieTells: where the kernel has no pidfd, or does not tell by it, /proc does until somebody has waited.
func TestAZombieTells(t *testing.T) {
	for _, c := range []struct {
		script string
		want   unix.WaitStatus
	}{{"exit 0", 0}, {"exit 3", 3 << 8}, {"kill -9 $$", 9}} {
		p := exec.Command("sh", "-c", c.script)
		require.NoError(t, p.Start())
		require.NoError(t, unix.Waitid(unix.P_PID, p.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
		of := &child{orders: orders{PID: p.Process.Pid}}
		require.Equal(t, ending{true, c.want}, of.howItEnded(false), c.script)
		_ = p.Wait()
		require.Equal(t, ending{}, of.howItEnded(false), "nobody knows any more")
	}
	self := &child{orders: orders{PID: os.Getpid()}}
	require.Equal(t, ending{}, self.zombieStatus(), "it lives")
}

func TestWantOfMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "memory.events")
	require.NoError(t, os.WriteFile(file, []byte("oom 3\noom_kill 7\n"), 0o600))
	require.EqualValues(t, 7, counter(file, "oom_kill"))
	require.EqualValues(t, -1, counter(file, "oom_kil"))
	require.EqualValues(t, -1, counter(file+"x", "oom_kill"))
	require.Contains(t, oomCounts{6, 9}.since(oomCounts{7, 10}), "most likely this program")
	require.Contains(t, oomCounts{-1, 9}.since(oomCounts{-1, 10}), "perhaps this program")
	require.Empty(t, oomCounts{6, 9}.since(oomCounts{6, 9}))
	require.Empty(t, oomCounts{-1, -1}.since(oomCounts{7, 10}))
}

// TestADirectoryOfSomebodyElse: in /tmp anybody can make one before the recorder does.
func TestADirectoryOfSomebodyElse(t *testing.T) {
	folder := t.TempDir()
	c := &child{orders: orders{Directory: filepath.Join(folder, "mine"), Own: true}}
	require.NoError(t, c.makeDirectory())
	require.NoError(t, c.makeDirectory())
	require.NoError(t, os.Chmod(c.Directory, 0o777))
	require.ErrorContains(t, c.makeDirectory(), "is not a directory of this user alone")
	require.NoError(t, os.Chmod(c.Directory, 0o700))
	require.NoError(t, os.Symlink(c.Directory, filepath.Join(folder, "link")))
	c.Directory = filepath.Join(folder, "link")
	require.ErrorContains(t, c.makeDirectory(), "is not a directory of this user alone")
	c.Own = false
	require.NoError(t, c.makeDirectory(), "the program named it")
}

// TestWhatIsKnownSoFar: when memory is short, this process may be the next to be killed.
func TestWhatIsKnownSoFar(t *testing.T) {
	c := &child{orders: orders{PID: 4711, Directory: filepath.Join(t.TempDir(), "post-mortems"), Keep: 5}, heaps: []keptHeap{{name: "large"}}}
	p := &inspect.PostMortem{Version: inspect.PostMortemVersion, PID: 4711}
	c.soFar(p, "what is missing")
	require.NoDirExists(t, c.Directory, "memory is not short")
	p.Cause.Memory = "the kernel has killed"
	c.soFar(p, "what is missing")
	found, err := inspect.PostMortems(c.Directory)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, []string{"what is missing"}, found[0].Notes)
	require.Equal(t, "there was no memory for it", found[0].Heaps[0].Problem)
	require.Empty(t, p.Notes)
	require.Empty(t, p.Heaps, "of the whole one nothing is known yet")
}
