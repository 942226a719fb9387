package symbols_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// TestTheFramesAreThoseOfTheRuntime compares, frame by frame, with what runtime.CallersFrames says in the program.
func TestTheFramesAreThoseOfTheRuntime(t *testing.T) {
	for name, way := range map[string]struct {
		environment, arguments []string
		change                 func(*testing.T, string) string
	}{
		"plain":                     {},
		"stripped by the linker":    {arguments: []string{"-ldflags=-s -w"}},
		"without inlining":          {arguments: []string{"-gcflags=-l -N"}},
		"trimmed paths":             {arguments: []string{"-trimpath"}},
		"stripped":                  {change: strip},
		"without section headers":   {change: withoutSections},
		"with odd section headers":  {change: withOddSections},
		"not the Go linker":         {[]string{"CGO_ENABLED=1"}, []string{"-ldflags=-linkmode=external"}, nil},
		"not the Go linker, tables": {[]string{"CGO_ENABLED=1"}, []string{"-ldflags=-linkmode=external"}, withoutSections},
	} {
		t.Run(name, func(t *testing.T) {
			if way.environment != nil {
				tool(t, "gcc")
			}
			path := build(t, join(way.arguments), way.environment, way.arguments...)
			if way.change != nil {
				path = way.change(t, path)
			}
			compare(t, open(t, path), run(t, path))
		})
	}
}

func join(arguments []string) string {
	name := "plain"
	for _, a := range arguments {
		name += a
	}
	return name
}

// TestAPositionIndependentExecutable has to be told where it was loaded.
func TestAPositionIndependentExecutable(t *testing.T) {
	for name, way := range map[string]struct {
		environment, arguments []string
		change                 func(*testing.T, string) string
	}{
		"plain":                  {arguments: []string{"-buildmode=pie"}},
		"stripped":               {arguments: []string{"-buildmode=pie", "-ldflags=-s -w"}},
		"without sections":       {arguments: []string{"-buildmode=pie"}, change: withoutSections},
		"without pointers":       {arguments: []string{"-buildmode=pie"}, change: withoutPointers},
		"without either":         {arguments: []string{"-buildmode=pie"}, change: withoutEither},
		"not the Go linker":      {[]string{"CGO_ENABLED=1"}, []string{"-buildmode=pie", "-ldflags=-linkmode=external"}, nil},
		"neither":                {[]string{"CGO_ENABLED=1"}, []string{"-buildmode=pie", "-ldflags=-linkmode=external"}, withoutSections},
		"with packed relocation": {[]string{"CGO_ENABLED=1"}, []string{"-buildmode=pie", "-ldflags=-linkmode=external -extldflags=-Wl,-z,pack-relative-relocs"}, withoutSections},
	} {
		t.Run(name, func(t *testing.T) {
			if way.environment != nil {
				tool(t, "gcc")
			}
			path := build(t, join(way.arguments), way.environment, way.arguments...)
			if way.change != nil {
				path = way.change(t, path)
			}
			pid, stacks := start(t, path)
			process, err := symbols.OpenProcess(pid)
			require.NoError(t, err)
			defer process.Close()
			compare(t, process, stacks)

			// And from the mappings, as of a core.
			table := open(t, path)
			bias, err := table.Bias(mappings(t, pid, path))
			require.NoError(t, err)
			require.NotZero(t, bias)
			require.Empty(t, table.Frames(stacks[0].PCs[0]), "before it is rebased")
			table.Rebase(bias)
			require.Equal(t, stacks[0].Frames, table.Stack(stacks[0].PCs))
		})
	}
}

// TestADeletedExecutable is found by what the kernel still has of it.
func TestADeletedExecutable(t *testing.T) {
	path := copyOf(t, plain(t))
	pid, stacks := start(t, path)
	require.NoError(t, os.Remove(path))
	table, err := symbols.OpenProcess(pid)
	require.NoError(t, err)
	defer table.Close()
	require.Equal(t, stacks[0].Frames, table.Stack(stacks[0].PCs))
}

func TestNoSuchProcess(t *testing.T) {
	_, err := symbols.OpenProcess(1 << 30)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func compare(t *testing.T, table *symbols.Table, stacks []stack) {
	t.Helper()
	inlined := 0
	for _, s := range stacks {
		got := table.Stack(s.PCs)
		require.Equal(t, len(s.Frames), len(got), "%s: %v, %v", s.Name, s.Frames, got)
		for i, f := range got {
			if s.Frames[i].Function == "" { // see nameOf
				require.NotEmpty(t, f.Function)
				s.Frames[i].Function = f.Function
			}
			require.Equal(t, s.Frames[i], f, "%s, frame %d of the addresses %#x", s.Name, i, s.PCs)
			if f.Inlined {
				inlined++
			}
		}
		if len(s.PCs) == 2 && s.Name == "anywhere" {
			require.Equal(t, s.Frames, table.Frames(s.PCs[0]), "%#x", s.PCs[0])
		}
	}
	t.Logf("%d stacks, %d frames of inlined calls", len(stacks), inlined)
}

// start is a process that waits until the test ends, and its stacks.
func start(t *testing.T, path string) (pid int, stacks []stack) {
	t.Helper()
	command := exec.Command(path, "-wait")
	in, err := command.StdinPipe()
	require.NoError(t, err)
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		require.NoError(t, command.Wait())
	})
	require.NoError(t, json.NewDecoder(bufio.NewReader(out)).Decode(&stacks))
	return command.Process.Pid, stacks
}

func strip(t *testing.T, path string) string {
	stripped := filepath.Join(t.TempDir(), "stripped")
	out, err := exec.Command(tool(t, "strip"), "-o", stripped, path).CombinedOutput()
	require.NoError(t, err, string(out))
	return stripped
}

func copyOf(t *testing.T, path string) string {
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	copied := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.WriteFile(copied, raw, 0o700))
	return copied
}
