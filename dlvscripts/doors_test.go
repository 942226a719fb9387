package dlvscripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// answers asks what a session has to be able to answer, whatever way the program came into it.
func (s *session) answers() {
	require.Contains(s.T, s.Ask("gh_check heap=orders"), "healthy. Every struct is whole")
	require.Contains(s.T, s.Ask("gh_math heap=orders"), "every figure that the heap has stored follows")
	require.Contains(s.T, s.Ask("gh_structs heap=orders"), "every one as it should be")
	bins := s.Ask("gh_bins heap=orders")
	require.Regexp(s.T, `(?m)^ 34 +704 +712 +4 +136 +30 `, bins)
}

// TestDebug: the program is built by Delve, without optimisation.
func TestDebug(t *testing.T) {
	t.Parallel()
	s := start(t, "debug", "./heaps", "--output", filepath.Join(debugging.Folder, "debugged"), "--", "shop")
	require.Contains(t, s.Ask("gh_check"), "there is no heap yet")
	s.Ask("break main.stop")
	s.Ask("continue")
	s.answers()
	require.Contains(t, s.Ask("gh_whatis block"), "the start of a live block of 19 bytes")
	s.Ask("up")
	require.Contains(t, s.Ask("gh_whatis h"), "outside of this heap", "the allocator.Heap lies in the Go heap")
}

// TestTest: a test that uses a heap.
func TestTest(t *testing.T) {
	t.Parallel()
	s := start(t, "test", "./heaps", "--output", filepath.Join(debugging.Folder, "tested"))
	s.Ask("break main.stop")
	s.Ask("continue")
	s.answers()
}

// TestAttach: a process that runs already. It goes on when Delve lets go of it.
func TestAttach(t *testing.T) {
	t.Parallel()
	p := debugging.StartProcess(t, heaps(t), "shop", "wait")
	require.Equal(t, "waiting\n", p.Line())
	s := start(t, "attach", p.PID())
	s.answers()
	require.Contains(t, s.Ask("gh_watch 0x10"), "outside of this heap")
	_, err := s.In.Write([]byte("exit\nn\n"))
	require.NoError(t, err)
	require.NoError(t, s.Command.Wait())
	_, err = p.End()
	require.NoError(t, err, "it went on and came to its end")
}

// die lets the program do what ends in its death, and returns the core file that the system leaves; "": it leaves none.
func die(t *testing.T, scenes string) (program, core string) {
	program = heaps(t)
	command := exec.Command("sh", "-c", "ulimit -c unlimited; exec "+program+" "+scenes)
	command.Dir, command.Env = t.TempDir(), append(os.Environ(), "GOTRACEBACK=crash", "GOMAXPROCS=1")
	require.Error(t, command.Run())
	cores, err := filepath.Glob(filepath.Join(command.Dir, "core*"))
	require.NoError(t, err)
	if len(cores) == 0 {
		return program, ""
	}
	return program, cores[0]
}

// TestCore: a core file that the system wrote. Where it writes none, TestDump stands for it.
func TestCore(t *testing.T) {
	t.Parallel()
	program, core := die(t, "shop abort")
	if core == "" {
		t.Log("the system keeps no core files here")
		return
	}
	s := start(t, "core", program, core)
	s.answers()
	s.answersFromCore()
}

// TestDump: a core file that Delve wrote. It lacks what lies behind a guard page: this heap has none.
func TestDump(t *testing.T) {
	t.Parallel()
	program := heaps(t)
	core := filepath.Join(t.TempDir(), "core")
	startHeaps(t, "overrun").Ask("dump " + core)
	s := start(t, "core", program, core)
	require.Contains(t, s.Ask("gh_check"), "healthy.")
	s.answersFromCore()
}

// answersFromCore asks what can be asked of a core, and what can't.
func (s *session) answersFromCore() {
	require.Contains(s.T, s.Ask("gh_bins"), "from a core file")
	require.Contains(s.T, s.Ask("gh_break init"), "a core file does not run")
	block := regexpFirst(`0x[0-9a-f]+`, s.Ask("gh_slabs"))
	require.Contains(s.T, s.Ask("gh_watch "+block), "a core file does not run")
	require.Contains(s.T, s.Ask("gh_hexdump "+block), "== seal")
}

// TestCoreOfACrash: the heap of a process that died of a fault in it.
func TestCoreOfACrash(t *testing.T) {
	t.Parallel()
	program, core := die(t, "crash")
	var s *session
	if core != "" {
		s = start(t, "core", program, core)
	} else { // the process as it is when it dies
		s = start(t, "exec", program, "--", "crash")
		s.Ask("continue")
	}
	answer := s.Ask("gh_check")
	require.Contains(t, answer, `heap "crashed"`)
	require.Contains(t, answer, "healthy.")
	require.Contains(t, s.Ask("gh_blocks "+regexpFirst(`0x[0-9a-f]+`, s.Ask("gh_slabs"))), "live")
}

// TestConnect: a headless Delve, as editors use it, and a terminal that joins it.
func TestConnect(t *testing.T) {
	t.Parallel()
	s := start(t, "connect", debugging.ServeDelve(t, heaps(t), "shop"))
	s.Ask("break main.stop")
	s.Ask("continue")
	s.answers()
	_, err := s.In.Write([]byte("exit\ny\n")) // and end the program
	require.NoError(t, err)
	_ = s.Command.Wait()
}

// TestInterrupt: Ctrl-C ends a long answer, and Delve takes the next command.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	s := startHeaps(t, "large")
	_, err := s.In.Write([]byte("gh_check all\n"))
	require.NoError(t, err)
	for line := ""; !strings.Contains(line, "blocks will take a while"); {
		line, err = s.Out.ReadString('\n')
		require.NoError(t, err)
	}
	require.NoError(t, s.Command.Process.Signal(syscall.SIGINT))
	answer := s.Ask("print 1") // an empty line would ask again
	require.Contains(t, strings.ToLower(answer), "interrupt")
	require.NotContains(t, answer, "healthy.")
	require.Contains(t, s.Ask("gh_bins"), `heap "large"`)
}
