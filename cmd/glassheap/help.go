package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// newHelp is the command that shows the help of another one.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "what a command does, and its flags",
		Args:  cobra.ArbitraryArgs,
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) (names []string, _ cobra.ShellCompDirective) {
			if len(args) == 0 {
				for _, other := range c.Root().Commands() {
					if other.IsAvailableCommand() || other.IsAdditionalHelpTopicCommand() {
						names = append(names, cobra.CompletionWithDesc(other.Name(), other.Short))
					}
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			about, left, err := c.Root().Find(args)
			if err != nil {
				return err
			}
			if len(left) > 0 {
				return noCommand(c.Root(), left[0])
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// helpWidth is how wide help is: it fits every terminal.
const helpWidth = "80"

// fitHelp keeps help within its width: cobra would not break the lines of flags.
func fitHelp(root *cobra.Command) {
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), "Flags.FlagUsages", "Flags.FlagUsagesWrapped "+helpWidth))
}

// nameShells gives the completion command, which cobra makes, this program's words and an error for a shell that it does not
// know.
func nameShells(c *cobra.Command) {
	c.Use = "completion SHELL"
	c.Short = "a script that makes your shell complete commands and flags"
	c.Long = "completion writes a script for a shell: bash, zsh, fish or powershell. The help\nof each says where the script goes: glassheap help completion bash"
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("completion needs a shell: bash, zsh, fish or powershell")
		}
		return fmt.Errorf("there is no completion for %q: choose bash, zsh, fish or powershell", args[0])
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	for _, shell := range c.Commands() {
		shell.Short = "the script for " + shell.Name()
	}
}
