package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// opening is the part of a command line that says which heap is meant.
type opening struct {
	pid  int
	file string
	heap string
}

func (o *opening) addFlags(c *cobra.Command) {
	c.Flags().IntVar(&o.pid, "pid", 0, "look into the process with this id, instead of TARGET")
	c.Flags().StringVar(&o.file, "file", "", "look into this snapshot or heap file, instead of TARGET")
	c.Flags().StringVar(&o.heap, "heap", "", "which heap of the process: its name, or #1, #2, …")
	c.MarkFlagsMutuallyExclusive("pid", "file")
	_ = c.RegisterFlagCompletionFunc("pid", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("heap", cobra.NoFileCompletions)
}

// named reports whether flags say which heap is meant, so that no argument does.
func (o *opening) named() bool { return o.pid != 0 || o.file != "" }

// arguments is how a command with TARGET and this many arguments of its own checks them.
func (o *opening) arguments(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		n := len(args)
		if !o.named() {
			if n == 0 {
				return fmt.Errorf("%s needs a TARGET: the id of a process, or the path of a snapshot or heap file (`pgrep -l NAME` lists ids; `glassheap demo` needs none)", c.Name())
			}
			n--
		}
		if n < least || (most >= 0 && n > most) {
			return fmt.Errorf("%s takes %s: glassheap %s", c.Name(), what, c.Use)
		}
		return nil
	}
}

// open opens the heap that flags or the first argument name, and returns the arguments that are left and the name by which
// further commands can refer to the heap.
func (o *opening) open(args []string) (t target.Target, rest []string, name string, err error) {
	options := target.Options{Heap: o.heap}
	switch {
	case o.pid != 0:
		t, err = target.OpenProcess(o.pid, options)
		name = strconv.Itoa(o.pid)
	case o.file != "":
		t, err = target.OpenFile(o.file)
		name = o.file
	default:
		t, err = target.Open(args[0], options)
		name, args = args[0], args[1:]
	}
	if o.heap != "" {
		name += " --heap " + o.heap
	}
	return t, args, name, err
}

// decoded is open for commands that ask a decoded heap.
func (o *opening) decoded(ctx context.Context, args []string) (t target.Target, h *inspect.Heap, rest []string, name string, err error) {
	t, rest, name, err = o.open(args)
	if err != nil {
		return nil, nil, nil, "", err
	}
	h, err = inspect.Open(ctx, t)
	if err != nil {
		t.Close()
		return nil, nil, nil, "", err
	}
	return t, h, rest, name, nil
}

// parseAddress reads an address: hexadecimal, with 0x or without where it has letters.
func parseAddress(text string) (uint64, error) {
	plain := strings.ReplaceAll(text, "_", "")
	if v, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return v, nil
	}
	if v, err := strconv.ParseUint(plain, 16, 64); err == nil {
		return v, nil
	}
	return 0, fmt.Errorf("%q is no address: write it in hexadecimal, like 0x7f68f6eb2a40", text)
}
