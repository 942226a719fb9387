package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/target"
)

var updateGDB = flag.Bool("update-gdb", false, "rewrite what GDB's scripts know of the command line")

// commandLine is what GDB's scripts know of the command line.
type commandLine struct {
	Common   []commandOption          `json:"common"` // options of every command
	Commands map[string]commandOfLine `json:"commands"`
}

type commandOfLine struct {
	Short   string          `json:"short"`
	Usage   string          `json:"usage"` // without TARGET, which GDB needs no word for
	Options []commandOption `json:"options"`
}

type commandOption struct {
	Name    string   `json:"name"`
	Takes   string   `json:"takes"` // what kind of value; empty: none
	Help    string   `json:"help"`
	Choices []string `json:"choices"`
}

// TestGDBHasTheSameCommands: the questions that GDB's scripts know have the words and the options of the command line, in the
// same order.
func TestGDBHasTheSameCommands(t *testing.T) {
	// What a debugger needs no flag for: it knows its process, and help is a command there.
	without := map[string]bool{"pid": true, "file": true, "dlv": true, "core": true, "exe": true, "door": true, "stop": true, "help": true}
	root := newRoot(&terminal{})
	options := func(c *cobra.Command, flags *pflag.FlagSet, only string) (found []commandOption) {
		found = []commandOption{}
		flags.VisitAll(func(f *pflag.Flag) {
			if without[f.Name] || f.Hidden || (f.Name == "heap") != (only == "heap") {
				return
			}
			takes, help := pflag.UnquoteUsage(f)
			o := commandOption{Name: f.Name, Takes: strings.ToUpper(takes), Help: help, Choices: []string{}}
			if complete, ok := c.GetFlagCompletionFunc(f.Name); ok {
				if choices, _ := complete(c, nil, ""); choices != nil {
					o.Choices = choices
				}
			}
			found = append(found, o)
		})
		return found
	}
	line := commandLine{Commands: map[string]commandOfLine{}}
	for _, c := range root.Commands() {
		if c.GroupID != "questions" && c.GroupID != "lists" && c.Name() != "snapshot" {
			continue
		}
		if !strings.Contains(c.Use, "TARGET") || c.Name() == "watch" {
			continue // a debugger has one program, which stands still: no ps, no diff, and there watch sets a watchpoint
		}
		usage := strings.NewReplacer("[TARGET]", "", "TARGET", "").Replace(strings.TrimPrefix(c.Use, c.Name()))
		line.Commands[c.Name()] = commandOfLine{Short: c.Short, Usage: strings.TrimSpace(usage), Options: options(c, c.Flags(), "")}
		line.Common = options(c, c.Flags(), "heap")
	}
	line.Common = append(line.Common, options(root, root.PersistentFlags(), "")...)
	text, err := json.MarshalIndent(line, "", "  ")
	require.NoError(t, err)
	const file = "../../gdb/glassheap_gdb/commandline.json"
	if *updateGDB {
		require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
	}
	there, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(text)+"\n", string(there), "the command line has changed: go test ./cmd/glassheap -run TestGDBHasTheSameCommands -update-gdb; and see gdb/glassheap_gdb/questions.py")
}

// TestADoorNamesTheProcess, whichever way it is written.
func TestADoorNamesTheProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "heap")
	require.NoError(t, os.WriteFile(file, []byte("GLASHEAP"+strings.Repeat("\x00", 4096)), 0o600))
	inner, err := target.OpenFile(file)
	require.NoError(t, err)
	defer inner.Close()

	var d door
	through := func() target.Target {
		opened, err := d.open(inner, nil)
		require.NoError(t, err)
		return opened
	}
	require.NoError(t, d.Set("process 4711, stopped in gdb"))
	require.Equal(t, "process 4711, stopped in gdb", through().Description().String())
	require.Zero(t, through().Base())
	_, err = d.open(nil, &target.FormatError{Path: "/dev/fd/12", Found: "it starts with zeros"})
	require.EqualError(t, err, "process 4711, stopped in gdb holds no glassheap heap: it starts with zeros")

	require.NoError(t, d.Set(`{"text":"process 4711 (ser\u001b[31mver), stopped in gdb","pid":4711,"program":"server","base":"0x7f6800000000"}`))
	description := through().Description()
	require.Equal(t, "process 4711 (ser·[31mver), stopped in gdb", description.String(), "nothing in a name reaches the terminal")
	require.Equal(t, 4711, description.PID)
	require.Equal(t, "server", description.Program)
	require.EqualValues(t, 0x7f6800000000, through().Base())
	require.Error(t, d.Set(`{"text":7}`))
}

func TestGDBsOwnOptionsHaveOneDash(t *testing.T) {
	require.Equal(t, []string{"4711", "--ex", "glassheap check", "--iex", "x", "--ex=y", "-extra", "--", "-ex"},
		twoDashes([]string{"4711", "-ex", "glassheap check", "-iex", "x", "-ex=y", "-extra", "--", "-ex"}))
}

// TestGDBCommandLine runs the command as far as it goes without becoming gdb.
func TestGDBCommandLine(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("HOME", folder)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(folder, "cache"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(folder, "config"))
	say := func(arguments ...string) (status int, out, complaint string) {
		stdout, err := os.Create(filepath.Join(folder, "out"))
		require.NoError(t, err)
		stderr, err := os.Create(filepath.Join(folder, "err"))
		require.NoError(t, err)
		status = run(t.Context(), append([]string{"gdb"}, arguments...), nil, stdout, stderr)
		a, _ := os.ReadFile(stdout.Name())
		b, _ := os.ReadFile(stderr.Name())
		return status, string(a), string(b)
	}
	status, out, _ := say("--print-script")
	require.Zero(t, status)
	require.FileExists(t, strings.TrimSpace(out))
	require.Contains(t, out, filepath.Join(folder, "cache", "glassheap", "gdb-"))

	gdbinit := filepath.Join(folder, "config", "gdb", "gdbinit")
	status, out, _ = say("--install")
	require.Zero(t, status)
	require.Contains(t, out, gdbinit)
	require.FileExists(t, gdbinit)
	status, out, _ = say("--uninstall")
	require.Zero(t, status)
	require.Contains(t, out, "the block is gone")
	require.NoFileExists(t, gdbinit)
	_, out, _ = say("--uninstall")
	require.Contains(t, out, "nothing to undo")

	for _, wrong := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"one", "two"}, "at most one target"},
		{[]string{"--frob"}, "gdb has no flag --frob"},
		{[]string{"--install", "--uninstall"}, "--install and --uninstall"},
		{[]string{"--gdb", "/nowhere/gdb", "4711"}, "/nowhere/gdb will not do: there is no such program"},
		{[]string{"-ex"}, "a value is wanted"},
	} {
		status, _, complaint := say(wrong.arguments...)
		require.Equal(t, 2, status, "%q", wrong.arguments)
		require.Contains(t, complaint, wrong.want, "%q", wrong.arguments)
	}
	status, out, _ = say("--help")
	require.Zero(t, status)
	require.Contains(t, out, "glassheap gdb core.4711")
}
