package main

import (
	"github.com/spf13/cobra"
)

// newRoot is the command line: one file for each subcommand, which has nothing but flags and calls into package inspect.
func newRoot(t *terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "glassheap",
		Short: "question the memory of a glassheap heap",
		Long: `glassheap questions the memory of a heap: of a running process, a core, a
snapshot or a heap file.

TARGET is the id of a process, or the path of a core (of the kernel, gcore or
dlv dump; .gz and .zst too), a snapshot or a heap file. A running process is
looked at while it runs; it is held still only for as long as
copying the heap's metadata takes, and goes on whatever happens to glassheap.

Exit status: 0 healthy, 1 something was found, 2 there was nothing to look at.`,
		Example: `  glassheap demo                    see it find an overflow in another process
  glassheap check 4711              is anything wrong?
  glassheap structs 4711            have my structs been initialised properly?
  glassheap math --geometry notes   are my calculations right?
  glassheap whatis 4711 0x7f68f6eb2a52
  glassheap leaks 4711              who allocated what is live?
  glassheap ps                      which processes have heaps?`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noCommand(c, args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.PersistentFlags().BoolVar(&t.json, "json", false, "write the answer as JSON")
	root.PersistentFlags().StringVar(&t.color, "color", "auto", "colours: auto, always or never (NO_COLOR is honoured)")
	root.AddGroup(
		&cobra.Group{ID: "questions", Title: "Questions:"},
		&cobra.Group{ID: "lists", Title: "Looking around:"},
		&cobra.Group{ID: "work", Title: "Doing:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add("questions", newCheck(t), newStructs(t), newMath(t), newWhatis(t), newLeaks(t), newDiff(t), newHistory(t))
	add("lists", newPs(t), newStats(t), newBins(t), newSlabs(t), newBlocks(t), newMap(t), newDump(t), newHexdump(t), newLog(t), newWatch(t))
	add("work", newSnapshot(t), newPostmortem(t), newArm(t), newDlv(t), newGDB(t), newReplay(t), newDemo(t))
	root.AddCommand(newEnvironmentTopic(), newColumnsTopic())
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return t.checkColor() }
	root.SetFlagErrorFunc(wrongFlag)
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID("work")
	root.SetCompletionCommandGroupID("work")
	root.InitDefaultCompletionCmd()
	if c, _, err := root.Find([]string{"completion"}); err == nil {
		nameShells(c)
	}
	fitHelp(root)
	return root
}
