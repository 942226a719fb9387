package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/dlvscripts"
)

func newDlv(t *terminal) *cobra.Command {
	var printInit bool
	c := &cobra.Command{
		Use:   "dlv COMMAND [ARGUMENT…]",
		Short: "start Delve with these questions as its commands",
		Long: `dlv starts Delve with glassheap's scripts loaded: the questions are commands
there (` + "`gh_check`" + `, ` + "`gh_whatis block`" + `), ` + "`gh_break init`" + ` shows every struct
while it is made, and ` + "`gh_watch`" + ` stops at the instruction that overruns a block.
` + "`gh`" + ` lists them.

COMMAND is one of Delve's: ` + strings.Join(dlvscripts.Commands, ", ") + `.
It and what stands behind it go to Delve as they are; the commands of a file that
--init names there are run after the scripts are loaded. A headless Delve loads
no scripts: go to it by glassheap dlv connect.

Delve is the program that ` + dlvscripts.DelveVariable + ` names, or the dlv in PATH, or the
tool dlv of the Go module in the current folder.`,
		Example: `  glassheap dlv debug ./cmd/server -- -port 8080
  glassheap dlv attach 4711
  glassheap dlv core ./server core.4711
  dlv debug --init "$(glassheap dlv --print-init)" ./cmd/server`,
		Args: cobra.ArbitraryArgs,
	}
	c.Flags().BoolVar(&printInit, "print-init", false, "print the path of the init file that loads the scripts, and do no more")
	c.Flags().SetInterspersed(false) // what stands behind Delve's command is Delve's
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return dlvscripts.Commands, cobra.ShellCompDirectiveNoFileComp
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if printInit {
			if len(args) > 0 {
				return errors.New("--print-init starts nothing: leave the command away")
			}
			initFile, err := unpackDlv(t, "")
			if err == nil {
				_, err = fmt.Fprintln(t.out, initFile)
			}
			return err
		}
		if len(args) == 0 || !slices.Contains(dlvscripts.Commands, args[0]) {
			return fmt.Errorf("dlv needs one of Delve's commands: %s", strings.Join(dlvscripts.Commands, ", "))
		}
		return startDlv(c, t, args)
	}
	return c
}

func unpackDlv(t *terminal, usersInit string) (initFile string, err error) {
	folder, err := dlvscripts.CacheFolder()
	if err != nil {
		return "", err
	}
	return dlvscripts.Unpack(folder, dlvscripts.Options{Color: t.style("").Color}, usersInit)
}

// startDlv becomes Delve.
func startDlv(c *cobra.Command, t *terminal, args []string) error {
	rest, usersInit, err := dlvscripts.Split(args[1:])
	if err != nil {
		return err
	}
	delve, err := dlvscripts.Find(c.Context())
	if err != nil {
		return err
	}
	initFile, err := unpackDlv(t, usersInit)
	if err != nil {
		return err
	}
	line := slices.Concat(delve, []string{args[0], "--init", initFile}, rest)
	return fmt.Errorf("%s can't be started: %w", line[0], syscall.Exec(line[0], line, os.Environ()))
}
