package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// door says through which door the bytes of --file came, when a debugger made that file: answers then name the process, not
// the file, and suggest commands as they are typed in the debugger, without a target. It is the value of a hidden flag: a
// text, or a JSON object of these fields.
type door struct {
	Text    string          `json:"text"` // "process 4711 (cacheserver), stopped in gdb"
	PID     int             `json:"pid"`
	Program string          `json:"program"`
	Base    inspect.Address `json:"base"` // of the Header in the process; 0: not known
}

func (d *door) addFlag(c *cobra.Command) {
	c.Flags().Var(d, "door", "what a debugger says of the file that it made")
	_ = c.Flags().MarkHidden("door")
}

// String is the text, as flags want it.
func (d *door) String() string { return d.Text }

// Type is what the flag takes.
func (d *door) Type() string { return "string" }

// Set reads the flag's value.
func (d *door) Set(value string) error {
	*d = door{Text: value}
	if strings.HasPrefix(value, "{") {
		d.Text = ""
		if err := json.Unmarshal([]byte(value), d); err != nil {
			return fmt.Errorf("no door: %w", err)
		}
	}
	d.Text, d.Program = printable(d.Text), printable(d.Program)
	return nil
}

// open makes a target one behind this door, or an error one about it: nobody knows the file that the debugger made.
func (d *door) open(t target.Target, err error) (target.Target, error) {
	if otherwise := (*target.FormatError)(nil); errors.As(err, &otherwise) {
		return nil, fmt.Errorf("%s holds no glassheap heap: %s", d.Text, otherwise.Found)
	}
	if err != nil {
		return t, err
	}
	inner := t.Description()
	return behindDoor{t, *d, target.Description{Kind: target.Kind(d.Text), PID: d.PID, Program: d.Program, Heap: inner.Heap, Door: "gdb"}}, nil
}

// behindDoor is a target whose bytes a debugger handed over.
type behindDoor struct {
	target.Target
	door        door
	description target.Description
}

// Base is the address that the debugger found the heap at.
func (t behindDoor) Base() uint64 {
	if t.door.Base != 0 {
		return uint64(t.door.Base)
	}
	return t.Target.Base()
}

func (t behindDoor) Description() target.Description { return t.description }

// printable makes a foreign name safe to print.
func printable(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, name)
}
