package gdb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommandLines(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	base := Session{GDB: "/usr/bin/gdb", Script: "/c/glassheap.py"}
	for name, c := range map[string]struct {
		change func(*Session)
		want   string
	}{
		"nothing":             {func(*Session) {}, "-x /c/glassheap.py"},
		"a process":           {func(s *Session) { s.Target = "4711" }, "-x /c/glassheap.py -p 4711"},
		"a program":           {func(s *Session) { s.Target = exe }, "-x /c/glassheap.py --args " + exe},
		"a program that runs": {func(s *Session) { s.Target, s.Run, s.Commands = exe, true, []string{"break main.main"} }, "-x /c/glassheap.py -ex break main.main -ex run --args " + exe},
		"its arguments":       {func(s *Session) { s.Target, s.Arguments = exe, []string{"-ex", "-p"} }, "-x /c/glassheap.py --args " + exe + " -ex -p"},
		"gdb's arguments":     {func(s *Session) { s.Arguments = []string{"-batch"} }, "-x /c/glassheap.py -batch"},
		"commands": {func(s *Session) {
			s.Target, s.Commands, s.Early = "4711", []string{"glassheap check", "quit"}, []string{"set confirm off"}
		}, "-iex set confirm off -x /c/glassheap.py -ex glassheap check -ex quit -p 4711"},
	} {
		s := base
		c.change(&s)
		line, err := s.CommandLine()
		require.NoError(t, err, name)
		require.Equal(t, "/usr/bin/gdb", line[0])
		text := strings.Join(line[1:], " ")
		if strings.HasPrefix(text, "-iex add-auto-load-safe-path ") {
			text = strings.SplitN(text, " ", 4)[3]
		}
		require.Equal(t, c.want, text, name)
	}
}

func TestWhatCannotBeStarted(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	require.NoError(t, os.WriteFile(text, []byte("#!/bin/sh\n"), 0o700))
	for target, want := range map[string]string{
		"nowhere": "there is no file nowhere", folder: "is a folder: build its program first", text: "is neither a program nor a core",
		"99999999999999": "there is no file 99999999999999",
	} {
		_, err := Session{Target: target}.CommandLine()
		require.ErrorContains(t, err, want)
	}
	_, err := Session{Run: true}.CommandLine()
	require.ErrorContains(t, err, "--run starts a program")
	_, err = Session{Run: true, Target: "1"}.CommandLine()
	require.ErrorContains(t, err, "--run starts a program")
}

// TestGDBsThatWillNotDo are told apart, and what to do is said.
func TestGDBsThatWillNotDo(t *testing.T) {
	folder := t.TempDir()
	fake := func(name, script string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700))
		return path
	}
	for path, want := range map[string]string{
		fake("old", "echo glassheap 11.2"): "it is GDB 11. Install GDB 12 or newer",
		fake("bare", "echo Python scripting is not supported in this copy of GDB. >&2; exit 1"): "it was built without Python",
		fake("none", "exit 1"):           "it does not answer as a GDB with Python does (it printed nothing)",
		fake("odd", "echo hello"):        "(hello)",
		filepath.Join(folder, "nowhere"): "there is no such program",
	} {
		_, err := Find(t.Context(), path)
		var unfit *UnfitError
		require.ErrorAs(t, err, &unfit)
		require.ErrorContains(t, err, want)
	}
	path := fake("new", "echo warning; echo glassheap 16.0.50.20250101-git")
	found, err := Find(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, path, found)
	t.Setenv("PATH", folder)
	_, err = Find(t.Context(), "")
	require.ErrorContains(t, err, "apt install gdb")
}
