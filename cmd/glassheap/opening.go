package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// opening is the part of a command line that says which heap is meant.
type opening struct {
	terminal *terminal
	pids     *pflag.Flag
	pid      int
	core     string
	file     string
	dlv      string
	heap     string
	stop     target.Stopping
	exe      string
	door     door

	exeIfUntold string // for a target that does not tell by itself
}

func (o *opening) addFlags(c *cobra.Command) {
	c.Flags().IntVar(&o.pid, "pid", 0, "look into the process with this id, instead of TARGET")
	c.Flags().StringVar(&o.core, "core", "", "look into this core file (of the kernel, gcore or dlv dump; .gz and .zst too), instead of TARGET")
	c.Flags().StringVar(&o.file, "file", "", "look into this snapshot, heap file or core, instead of TARGET")
	c.Flags().StringVar(&o.dlv, "dlv", "", "look through the headless Delve session at this address (host:port), which stands at a breakpoint")
	c.Flags().StringVar(&o.heap, "heap", "", "which heap of the process or core: its name, or #1, #2, …")
	c.Flags().StringVar(&o.exe, "exe", "", "the program's executable, for the functions of recorded stacks; a process of this machine tells by itself, and a core where it is still there")
	o.stop = target.StopAuto
	c.Flags().Var(&o.stop, "stop", "hold a process still: auto, for moments; never; whole, from beginning to end")
	o.door.addFlag(c)
	o.pids = c.Flags().Lookup("pid")
	c.MarkFlagsMutuallyExclusive("pid", "core", "file", "dlv") // for completion: arguments says it in words
	_ = c.RegisterFlagCompletionFunc("pid", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("heap", cobra.NoFileCompletions)
	_ = c.RegisterFlagCompletionFunc("stop", cobra.FixedCompletions(stopCompletions(), cobra.ShellCompDirectiveNoFileComp))
}

// stopCompletions are the values of --stop, each with what it does.
func stopCompletions() (values []cobra.Completion) {
	for _, s := range target.Stoppings {
		values = append(values, cobra.CompletionWithDesc(s.String(), s.Means()))
	}
	return values
}

// named reports whether flags say which heap is meant, so that no argument does.
func (o *opening) named() bool { return len(o.names()) > 0 }

// byID reports whether a flag gives the id of a process.
func (o *opening) byID() bool { return o.pids != nil && o.pids.Changed }

// names lists the flags that say which heap is meant.
func (o *opening) names() (flags []string) {
	if o.byID() {
		flags = append(flags, "--pid")
	}
	if o.core != "" {
		flags = append(flags, "--core")
	}
	if o.file != "" {
		flags = append(flags, "--file")
	}
	if o.dlv != "" {
		flags = append(flags, "--dlv")
	}
	return flags
}

// arguments is how a command with TARGET and this many arguments of its own checks them.
func (o *opening) arguments(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		n := len(args)
		if flags := o.names(); len(flags) > 1 {
			return fmt.Errorf("%s each name a target: leave all but one out", strings.Join(flags, " and "))
		}
		if !o.named() {
			if n == 0 || args[0] == "" {
				return fmt.Errorf("%s needs a TARGET: the id of a process, or the path of a core, a snapshot or a heap file (`glassheap ps` lists the processes that have heaps; `glassheap demo` needs none)", c.Name())
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
func (o *opening) open(ctx context.Context, args []string) (t target.Target, rest []string, name string, err error) {
	update, end := o.terminal.showProgress("unpacking the core")
	options := target.Options{Heap: o.heap, Stop: o.stop, Unpacking: update}
	switch {
	case o.byID():
		t, err = target.OpenProcess(o.pid, options)
		name = strconv.Itoa(o.pid)
	case o.file != "":
		t, err = target.OpenPath(ctx, o.file, options)
		name = pathName(o.file)
	case o.core != "":
		t, err = target.OpenCore(ctx, o.core, options)
		name = pathName(o.core)
	case o.dlv != "":
		t, err = target.OpenDelve(ctx, o.dlv, options)
		name = "--dlv " + quoted(o.dlv)
	default:
		t, err = target.Open(ctx, args[0], options)
		name, args = quoted(args[0]), args[1:]
	}
	end()
	if o.door.Text != "" {
		t, err = o.door.open(t, err)
		name = ""
	}
	if o.heap != "" {
		name = strings.TrimSpace(name + " --heap " + quoted(o.heap))
	}
	if w, ok := t.(target.Warner); ok && err == nil && w.Warning() != "" {
		fmt.Fprintln(os.Stderr, "glassheap:", w.Warning())
	}
	return t, args, name, err
}

// pathName is how further commands name a file: digits alone are a process.
func pathName(path string) string {
	if _, err := strconv.Atoi(path); err == nil {
		return "./" + path
	}
	return quoted(path)
}

// withProgram is open, with the executable that names the functions of the target's stacks.
func (o *opening) withProgram(ctx context.Context, args []string) (t target.Target, p *inspect.Program, rest []string, name string, err error) {
	if t, rest, name, err = o.open(ctx, args); err != nil {
		return nil, nil, nil, "", err
	}
	if p, err = o.program(t); err != nil {
		t.Close()
		return nil, nil, nil, "", err
	}
	return t, p, rest, name, nil
}

// decoded is open for commands that ask a decoded heap.
func (o *opening) decoded(ctx context.Context, args []string) (t target.Target, h *inspect.Heap, rest []string, name string, err error) {
	t, program, rest, name, err := o.withProgram(ctx, args)
	if err != nil {
		return nil, nil, nil, "", err
	}
	if h, err = inspect.Open(ctx, t); err != nil {
		t.Close()
		return nil, nil, nil, "", err
	}
	h.SetProgram(program)
	warnOfMissing(h)
	return t, h, rest, name, nil
}

// warnOfMissing says what a core lacks of a heap, before all answers.
func warnOfMissing(h *inspect.Heap) {
	if m := h.Missing(); m != nil {
		fmt.Fprintln(os.Stderr, "glassheap:", m)
	}
}

// asked is a heap that was opened for a command about an address.
type asked struct {
	*inspect.Heap
	target  target.Target
	address uint64
	rest    []string // arguments behind the address
	name    string   // by which further commands can refer to the heap
}

// at is decoded for commands whose first argument, behind the target, is an address.
func (o *opening) at(ctx context.Context, args []string) (a asked, err error) {
	if a.target, a.Heap, a.rest, a.name, err = o.decoded(ctx, args); err != nil {
		return a, err
	}
	if a.address, err = parseAddress(a.rest[0]); err != nil {
		a.target.Close()
	}
	a.rest = a.rest[1:]
	return a, err
}

// program is the executable that names the functions of a target's stacks. It is open until this program ends.
func (o *opening) program(t target.Target) (*inspect.Program, error) {
	exe := o.exe
	if exe == "" && target.OwnerOf(t) == 0 {
		exe = o.exeIfUntold
	}
	return inspect.ProgramOf(t, exe)
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
