package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/gdb"
)

func newGDB(t *terminal) *cobra.Command {
	var s gdb.Session
	var install, uninstall, printScript bool
	c := &cobra.Command{
		Use:   "gdb [TARGET] [-- ARGUMENT…]",
		Short: "start GDB with these questions as its commands",
		Long: `gdb starts GDB with glassheap's scripts loaded: the questions are commands there
(` + "`glassheap check`" + `, ` + "`glassheap whatis b.array`" + `), ` + "`print *slab`" + ` shows what the
struct holds, and ` + "`glassheap watch`" + ` stops at the instruction that overruns a
block.

TARGET is the id of a process, or the path of a program or of a core. What
stands behind -- goes to the program; without one, to gdb.

With --install, GDB loads the scripts whenever it starts, however it is started.`,
		Example: `  glassheap gdb ./server -ex 'break main.main' -ex run -- -port 8080
  glassheap gdb 4711
  glassheap gdb core.4711
  glassheap gdb --install`,
		// GDB's own options have one dash: they are read below.
		DisableFlagParsing: true,
		Args:               cobra.ArbitraryArgs,
	}
	f := c.Flags()
	f.StringArrayVar(&s.Commands, "ex", nil, "a command that GDB runs at its start, like gdb's own -ex; may be repeated")
	f.StringArrayVar(&s.Early, "iex", nil, "the same, before the program is loaded")
	f.StringVar(&s.Exe, "exe", "", "the program of a core")
	f.StringVar(&s.GDB, "gdb", "", "the gdb to start, instead of the one in PATH")
	f.BoolVar(&s.Run, "run", false, "run the program at once")
	f.BoolVar(&install, "install", false, "make GDB load the scripts whenever it starts")
	f.BoolVar(&uninstall, "uninstall", false, "undo --install")
	f.BoolVar(&printScript, "print-script", false, "print the path of the script that GDB loads, and do no more")
	c.RunE = func(c *cobra.Command, args []string) error {
		c.DisableFlagParsing = false
		c.InitDefaultHelpFlag()
		if err := c.ParseFlags(twoDashes(args)); err != nil {
			return wrongFlag(c, err)
		}
		if help, _ := f.GetBool("help"); help {
			return c.Help()
		}
		var alone []string
		for _, name := range []string{"install", "uninstall", "print-script"} {
			if on, _ := f.GetBool(name); on {
				alone = append(alone, "--"+name)
			}
		}
		if len(alone) > 1 {
			return fmt.Errorf("%s each do one thing: leave all but one out", strings.Join(alone, " and "))
		}
		words, before := f.Args(), f.ArgsLenAtDash()
		if before < 0 {
			before = len(words)
		}
		if before > 1 {
			return fmt.Errorf("gdb takes at most one target: what is meant for the program or for gdb goes behind --: glassheap %s", c.Use)
		}
		s.Target, s.Arguments = strings.Join(words[:before], ""), words[before:]
		switch {
		case uninstall:
			return uninstallGDB(t)
		case install:
			return installGDB(t)
		case printScript:
			script, err := unpackGDB()
			if err == nil {
				_, err = fmt.Fprintln(t.out, script)
			}
			return err
		}
		return startGDB(c, t, s)
	}
	return c
}

// twoDashes makes flags of gdb's two options that have one dash.
func twoDashes(args []string) []string {
	args = append([]string(nil), args...)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		for _, option := range []string{"-ex", "-iex"} {
			if arg == option || strings.HasPrefix(arg, option+"=") {
				args[i] = "-" + arg
			}
		}
	}
	return args
}

func unpackGDB() (script string, err error) {
	folder, err := gdb.CacheFolder()
	if err != nil {
		return "", err
	}
	return gdb.Unpack(folder)
}

// startGDB becomes gdb.
func startGDB(c *cobra.Command, t *terminal, s gdb.Session) (err error) {
	if s.GDB, err = gdb.Find(c.Context(), s.GDB); err != nil {
		return err
	}
	if s.Script, err = unpackGDB(); err != nil {
		return err
	}
	s.Greeting = isTerminal(t.in) && isTerminal(t.out)
	line, err := s.CommandLine()
	if err != nil {
		return err
	}
	environment := os.Environ()
	if program, err := os.Executable(); err == nil {
		environment = append(environment, gdb.ProgramVariable+"="+program)
	}
	return fmt.Errorf("%s can't be started: %w", s.GDB, syscall.Exec(s.GDB, line, environment))
}

func installGDB(t *terminal) error {
	script, err := unpackGDB()
	if err != nil {
		return err
	}
	file, err := gdb.InitFile()
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil || strings.HasPrefix(program, filepath.Clean(os.TempDir())+string(filepath.Separator)) {
		program = "" // made by `go run`: it will be gone
	}
	if err := gdb.Install(file, script, program); err != nil {
		return fmt.Errorf("GDB can't be told to load the scripts: %w", err)
	}
	fmt.Fprintf(t.out, "GDB loads glassheap from now on: %s has a block that says so.\n", file)
	if program == "" {
		fmt.Fprintln(t.out, "This glassheap is a temporary one: `go install ./cmd/glassheap`, so that the scripts find one in PATH.")
	}
	return nil
}

func uninstallGDB(t *terminal) error {
	file, err := gdb.InitFile()
	if err != nil {
		return err
	}
	removed, err := gdb.Uninstall(file)
	switch {
	case err != nil:
		return fmt.Errorf("the block can't be removed: %w", err)
	case removed:
		fmt.Fprintf(t.out, "GDB does not load glassheap any more: the block is gone from %s.\n", file)
	default:
		fmt.Fprintf(t.out, "There was nothing to undo: %s has no block of glassheap.\n", file)
	}
	return nil
}
