package dlvscripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// answers asks what a session has to be able to answer, whatever way the program came into it.
func (s *session) answers() {
	require.Contains(s.t, s.ask("gh_check heap=orders"), "healthy. Every struct is whole")
	require.Contains(s.t, s.ask("gh_math heap=orders"), "every figure that the heap has stored follows")
	require.Contains(s.t, s.ask("gh_structs heap=orders"), "every one as it should be")
	bins := s.ask("gh_bins heap=orders")
	require.Regexp(s.t, `(?m)^ 34 +704 +712 +4 +136 +30 `, bins)
}

// TestDebug: the program is built by Delve, without optimisation.
func TestDebug(t *testing.T) {
	t.Parallel()
	s := start(t, "debug", "./heaps", "--output", filepath.Join(built, "debugged"), "--", "shop")
	require.Contains(t, s.ask("gh_check"), "there is no heap yet")
	s.ask("break main.stop")
	s.ask("continue")
	s.answers()
	require.Contains(t, s.ask("gh_whatis block"), "the start of a live block of 19 bytes")
	s.ask("up")
	require.Contains(t, s.ask("gh_whatis h"), "outside of this heap", "the allocator.Heap lies in the Go heap")
}

// TestTest: a test that uses a heap.
func TestTest(t *testing.T) {
	t.Parallel()
	s := start(t, "test", "./heaps", "--output", filepath.Join(built, "tested"))
	s.ask("break main.stop")
	s.ask("continue")
	s.answers()
}

// TestAttach: a process that runs already. It goes on when Delve lets go of it.
func TestAttach(t *testing.T) {
	t.Parallel()
	program, err := heaps()
	require.NoError(t, err)
	command := exec.Command(program, "shop", "wait")
	in, err := command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	_, err = out.Read(make([]byte, 1)) // it waits
	require.NoError(t, err)
	s := start(t, "attach", strconv.Itoa(command.Process.Pid))
	s.answers()
	require.Contains(t, s.ask("gh_watch 0x10"), "outside of this heap")
	_, err = s.In.Write([]byte("exit\nn\n"))
	require.NoError(t, err)
	require.NoError(t, s.Command.Wait())
	in.Close()
	require.NoError(t, command.Wait(), "it went on and came to its end")
}

// die lets the program do what ends in its death, and returns the core file that the system leaves; "": it leaves none.
func die(t *testing.T, scenes string) (program, core string) {
	program, err := heaps()
	require.NoError(t, err)
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
	program, err := heaps()
	require.NoError(t, err)
	core := filepath.Join(t.TempDir(), "core")
	startHeaps(t, "overrun").ask("dump " + core)
	s := start(t, "core", program, core)
	require.Contains(t, s.ask("gh_check"), "healthy.")
	s.answersFromCore()
}

// answersFromCore asks what can be asked of a core, and what can't.
func (s *session) answersFromCore() {
	require.Contains(s.t, s.ask("gh_bins"), "from a core file")
	require.Contains(s.t, s.ask("gh_break init"), "a core file does not run")
	block := regexpFirst(`0x[0-9a-f]+`, s.ask("gh_slabs"))
	require.Contains(s.t, s.ask("gh_watch "+block), "a core file does not run")
	require.Contains(s.t, s.ask("gh_hexdump "+block), "== seal")
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
		s.ask("continue")
	}
	answer := s.ask("gh_check")
	require.Contains(t, answer, `heap "crashed"`)
	require.Contains(t, answer, "healthy.")
	require.Contains(t, s.ask("gh_blocks "+regexpFirst(`0x[0-9a-f]+`, s.ask("gh_slabs"))), "live")
}

// TestConnect: a headless Delve, as editors use it, and a terminal that joins it.
func TestConnect(t *testing.T) {
	t.Parallel()
	program, err := heaps()
	require.NoError(t, err)
	address := debugging.ServeDelve(t, program, "shop")
	s := start(t, "connect", address)
	s.ask("break main.stop")
	s.ask("continue")
	s.answers()
	_, err = s.In.Write([]byte("exit\ny\n")) // and end the program
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
	answer := s.ask("print 1") // an empty line would ask again
	require.Contains(t, strings.ToLower(answer), "interrupt")
	require.NotContains(t, answer, "healthy.")
	require.Contains(t, s.ask("gh_bins"), `heap "large"`)
}
