package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// What is wrong with a command line, in words: each of these errors says what would be right.

// noCommand is the error for a word that is no command.
func noCommand(root *cobra.Command, word string) error {
	hint := "`glassheap help` lists the commands"
	root.SuggestionsMinimumDistance = min((len(word)-1)/2, 2) // letters that may differ: of a short word one
	if near := root.SuggestionsFor(word); len(near) > 0 {
		hint = "do you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Errorf("there is no command %q: %s", word, hint)
}

// wrongFlag puts the errors of flags in words.
func wrongFlag(c *cobra.Command, err error) error {
	var value *pflag.InvalidValueError
	var missing *pflag.ValueRequiredError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &value):
		f := value.GetFlag()
		return fmt.Errorf("--%s %q: %s", f.Name, value.GetValue(), wants(f))
	case errors.As(err, &missing):
		return fmt.Errorf("--%s: %s", missing.GetFlag().Name, wants(missing.GetFlag()))
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		dashes := "--"
		if unknown.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		return fmt.Errorf("%s has no flag %s%s: `glassheap help %s` lists them", c.Name(), dashes, name, c.Name())
	}
	return err
}

// wants says what a flag takes.
func wants(f *pflag.Flag) string {
	if v, few := f.Value.(interface{ Choices() string }); few {
		return v.Choices()
	}
	switch f.Value.Type() {
	case "int":
		return "a whole number is wanted"
	case "bool":
		return "it takes no value, or true or false"
	}
	return "a value is wanted: " + f.Usage
}

// quoted is a word as a shell takes it.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:,+@%=", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// noArguments is the check of a command that takes none.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%s takes no arguments", c.Name())
	}
	return nil
}
