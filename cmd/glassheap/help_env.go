package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/allocator"
)

// newEnvironmentTopic is help that belongs to no command: the environment variable by which heaps are set.
func newEnvironmentTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "env",
		Short: allocator.Environment + ", the environment variable: options of heaps",
		Long:  environmentHelp(),
	}
}

func environmentHelp() string {
	var b strings.Builder
	var all []string
	for _, k := range allocator.EnvironmentKeys() {
		all = append(all, k.Key+"="+k.Example)
	}
	fmt.Fprintf(&b, `%s overrides options of every heap that a program makes, so a program
that runs somewhere already can be audited without building it anew. It holds
keys with values, separated by commas:

  %s=%s ./server

The keys, an example of each, and the values that it accepts:

`, allocator.Environment, allocator.Environment, strings.Join(all[:3], ","))
	width := 0
	for _, example := range all {
		width = max(width, len(example))
	}
	for i, k := range allocator.EnvironmentKeys() {
		lines := wrapped(k.Accepts+": "+k.Meaning, 80-width-4)
		fmt.Fprintf(&b, "  %-*s  %s\n", width, all[i], lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(&b, "  %-*s  %s\n", width, "", line)
		}
	}
	b.WriteString("\nA key or a value that does not exist is an error of allocator.New.")
	return b.String()
}

// wrapped breaks a text into lines of at most width characters, at blanks.
func wrapped(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
