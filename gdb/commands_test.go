package gdb

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

func TestMistakes(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, `
glassheap frobnicate
glassheap check
glassheap check --foo
glassheap bins --all=yes
glassheap check --heap
glassheap whatis
glassheap check now
glassheap blocks
glassheap break
glassheap break everything
glassheap watch
glassheap help ../x
glassheap math --geometry round`, victim(t))
	golden(t, "mistakes", debugging.NormalGDB(transcript))
}

func TestHelp(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "glassheap\nglassheap help\nglassheap help structs\nhelp glassheap structs\nhelp glassheap watch\nhelp glassheap break")
	overview := answer(t, transcript, "glassheap help")
	require.Equal(t, answer(t, transcript, "glassheap"), overview)
	for _, line := range strings.Split(transcript, "\n") {
		require.LessOrEqual(t, len([]rune(line)), 80, "%s", line)
	}
	for _, command := range []string{"check", "structs", "math", "whatis", "leaks", "history", "stats", "bins", "slabs", "blocks", "map", "dump", "hexdump", "log", "watch", "break", "snapshot"} {
		require.Regexp(t, `(?m)^  `+command+`\b.*  \w`, overview)
	}
	require.Less(t, strings.Count(overview, "\n"), 34, "one screen")
	help := answer(t, transcript, "glassheap help structs")
	require.Equal(t, help, answer(t, transcript, "help glassheap structs"))
	require.Contains(t, help, "Have my structs been initialised properly?")
	require.Regexp(t, `(?m)^  --type \w+ +only structs of this type`, help)
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	needGDB(t)
	wanted := map[string][]string{
		"complete glassheap s":                 {"glassheap slabs", "glassheap snapshot", "glassheap stats", "glassheap structs"},
		"complete glassheap structs --":        {"glassheap structs --all", "glassheap structs --color", "glassheap structs --fields", "glassheap structs --heap", "glassheap structs --json", "glassheap structs --type", "glassheap structs --wrong"},
		"complete glassheap structs --type S":  {"glassheap structs --type Slab", "glassheap structs --type Span", "glassheap structs --type Stack", "glassheap structs --type StackTable"},
		"complete glassheap structs --fi":      {"glassheap structs --fields"},
		"complete glassheap dump sl":           {"glassheap dump slab"},
		"complete glassheap break i":           {"glassheap break init"},
		"complete glassheap math --geometry n": {"glassheap math --geometry notes"},
		"complete glassheap check --heap s":    {"glassheap check --heap sessions"},
		"complete glassheap help ma":           {"glassheap help map", "glassheap help math"},
		"complete glassheap l":                 {"glassheap leaks", "glassheap log"},
		"complete glassheap log --kind f":      {"glassheap log --kind free"},
		"complete glassheap whatis h.baseA":    {"glassheap whatis h.baseAddress"},
	}
	commands := "break main.ready\nrun\n"
	for command := range wanted {
		commands += command + "\n"
	}
	transcript := play(t, commands, victim(t))
	for command, want := range wanted {
		require.Equal(t, want, strings.Split(strings.TrimSpace(answer(t, transcript, strings.TrimSpace(command))), "\n"), command)
	}
}

func TestSeveralHeapsOneHeapNoHeap(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, `
break main.ready
run two
continue
glassheap check
glassheap check --heap orders
glassheap check --heap #1
glassheap check --heap=nobody
glassheap whatis b
glassheap whatis --heap sessions b`, victim(t))
	require.Regexp(t, `(?s)has 2 heaps. Choose one .*#1   (sessions|orders) +memfd at 0x.*#2 `, answer(t, transcript, "glassheap check"))
	require.Contains(t, answer(t, transcript, "glassheap check --heap orders"), `heap "orders" in process`)
	require.Contains(t, answer(t, transcript, "glassheap check --heap #1"), "healthy")
	require.Contains(t, answer(t, transcript, "glassheap check --heap=nobody"), `has no heap "nobody"`)
	require.Contains(t, answer(t, transcript, "glassheap whatis b"), "live block of 24 bytes", "the address tells which heap is meant")
	require.Contains(t, answer(t, transcript, "glassheap whatis --heap sessions b"), "outside of this heap")

	transcript = play(t, "break main.ready\nrun none\nglassheap check\nglassheap break init\nglassheap math --geometry notes\nprint $gh_whatis(4711)", victim(t))
	require.Contains(t, answer(t, transcript, "glassheap check"), "it has made none yet")
	require.Contains(t, answer(t, transcript, "glassheap math --geometry notes"), "0x4000")
	require.Contains(t, answer(t, transcript, "print $gh_whatis(4711)"), "0x1267 lies in no heap")
}

func TestExpressionsAreAddresses(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, `
break main.ready
run
glassheap whatis b
glassheap whatis b.array + 3
glassheap whatis $rsp
glassheap whatis &h.base
glassheap whatis *h
glassheap whatis no.such.thing
glassheap whatis 7fffffffaaaa
print $gh_block(b.array+7) == $gh_block(b.array)
print $gh_block($rsp)
glassheap hexdump 'b.array + 8' 16
glassheap hexdump b ²
glassheap blocks 017
glassheap map --bin ²
glassheap dump b
glassheap dump slab 0`, unoptimisedVictim(t))
	for command, want := range map[string]string{
		"glassheap whatis b":                               "is the start of a live block of 40 bytes",
		"glassheap whatis b.array + 3":                     "is 3 bytes into a live block of 40 bytes",
		"glassheap whatis $rsp":                            "outside of this heap",
		"glassheap whatis &h.base":                         "outside of this heap",
		"glassheap whatis *h":                              "outside of this heap",
		"glassheap whatis no.such.thing":                   "glassheap: no.such.thing: ",
		"glassheap whatis 7fffffffaaaa":                    "0x7fffffffaaaa is outside of this heap",
		"print $gh_block($rsp)":                            "= 0",
		"glassheap hexdump 'b.array + 8' 16":               "30 30",
		"glassheap hexdump b ²":                            "is no number of bytes",
		"glassheap blocks 017":                             "slab 16",
		"glassheap map --bin ²":                            "a whole number is wanted",
		"glassheap dump b":                                 "Slab 8",
		"print $gh_block(b.array+7) == $gh_block(b.array)": "= true",
	} {
		require.Contains(t, answer(t, transcript, command), want, command)
	}
}

func TestSnapshotOfAStoppedProgram(t *testing.T) {
	t.Parallel()
	needGDB(t)
	file := filepath.Join(t.TempDir(), "stopped.snapshot")
	transcript := play(t, "break main.ready\nrun overflow\ncontinue\nglassheap snapshot "+file+"\ncli check --json\nshell $GLASSHEAP_BINARY check --json "+file+"\nshell $GLASSHEAP_BINARY check "+file, victim(t))
	require.Equal(t, facts(t, answer(t, transcript, "cli check --json")), facts(t, answer(t, transcript, "shell $GLASSHEAP_BINARY check --json "+file)))
	require.Regexp(t, `in snapshot stopped.snapshot of process \d+ \(victim\)`, strings.ReplaceAll(answer(t, transcript, "shell $GLASSHEAP_BINARY check "+file), "\n", " "))
}

// TestLoadedTwice: a second load replaces the first, as after an update.
func TestLoadedTwice(t *testing.T) {
	t.Parallel()
	needGDB(t)
	again := "source " + needGDB(t).Scripts
	transcript := play(t, again+"\nbreak main.ready\nrun\nglassheap watch b\n"+again+"\nglassheap check\nprint *h\ninfo pretty-printer global glassheap", victim(t))
	require.Contains(t, answer(t, transcript, "glassheap check"), "healthy")
	require.Contains(t, answer(t, transcript, "print *h"), `heap "sessions", sealed`)
	require.Equal(t, 1, strings.Count(answer(t, transcript, "info pretty-printer global glassheap"), "Slab\n"))
}

// TestARunningProgramIsLeftAlone.
func TestARunningProgramIsLeftAlone(t *testing.T) {
	t.Parallel()
	needGDB(t)
	transcript := play(t, "set non-stop on\nbreak main.ready\nrun wait < /dev/zero\ncontinue -a &\nshell sleep 0.3\nglassheap check\nprint $gh_whatis(1)\ninterrupt -a\nshell sleep 0.3\nkill", victim(t))
	require.Contains(t, answer(t, transcript, "glassheap check"), "the program is running: interrupt it first")
}

// TestWithoutTheProgram: where the glassheap program is missing or is another one, that is said; what GDB can do by itself works.
func TestWithoutTheProgram(t *testing.T) {
	t.Parallel()
	needGDB(t)
	const commands = "break main.ready\nrun\nglassheap check\nprint *h\nprint $gh_block(b.array) == b.array\nprint $gh_whatis(b.array)"
	for name, want := range map[string]string{"/nowhere/glassheap": "which is no program", "/bin/false": "ended with status 1", "/bin/true": ""} {
		gdb := needGDB(t)
		gdb.Environment = append(gdb.Environment, ProgramVariable+"="+name)
		transcript := gdb.Play(t, t.Context(), commands, victim(t))
		require.Contains(t, answer(t, transcript, "print *h"), `heap "sessions", sealed`)
		if want == "" || name == "/bin/false" {
			continue
		}
		require.Contains(t, answer(t, transcript, "glassheap check"), want)
		require.Contains(t, answer(t, transcript, "print $gh_whatis(b.array)"), want)
	}
}

// TestInterrupt sends what Ctrl-C does while the glassheap program works: the command ends, with it the program, and the image
// leaves nothing behind.
func TestInterrupt(t *testing.T) {
	gdb := needGDB(t)
	folder := t.TempDir()
	slow := filepath.Join(folder, "slow")
	require.NoError(t, os.WriteFile(slow, []byte("#!/bin/sh\necho started > "+folder+"/started\nexec sleep 600\n"), 0o700))
	file := filepath.Join(folder, "session")
	require.NoError(t, os.WriteFile(file, []byte("break main.ready\nrun\nglassheap check\nprint 4711\n"), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	temporary := filepath.Join(folder, "tmp")
	require.NoError(t, os.Mkdir(temporary, 0o700))
	c := exec.CommandContext(ctx, gdb.Path, "-nx", "-q", "-batch", "-iex", "set auto-load python-scripts off", "-x", gdb.Scripts, "-x", debugging.Session(t), victim(t))
	c.Env = append(os.Environ(), ProgramVariable+"="+slow, "GLASSHEAP_TEST_SESSION="+file, "TMPDIR="+temporary)
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, c.Start())
	require.Eventually(t, func() bool { _, err := os.Stat(folder + "/started"); return err == nil }, 50*time.Second, 20*time.Millisecond)
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	require.Empty(t, left, "the image has no name, not even while it is in use")
	require.NoError(t, syscall.Kill(-c.Process.Pid, syscall.SIGINT))
	_ = c.Wait()
	require.NoError(t, ctx.Err())
	require.Regexp(t, `(?i)interrupted|quit`, out.String())
	require.NotContains(t, out.String(), "Traceback")
}
