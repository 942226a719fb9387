// Command glassheap questions the memory of a heap: that of a running process, a core, a snapshot or a heap file.
//
//	glassheap check 4711       is anything wrong?
//	glassheap structs 4711     have my structs been initialised properly?
//	glassheap math 4711        are my calculations right?
//	glassheap demo             see it find an overflow in another process
//
// Exit status: 0 healthy, 1 something was found, 2 there was nothing to look at.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks, a second one ends the program at once
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// errFound makes the exit status 1: the answer was written, and it is that something is wrong.
var errFound = errors.New("something was found")

// run runs one command and returns its exit status.
func run(ctx context.Context, arguments []string, stdin *os.File, stdout, stderr *os.File) int {
	root := newRoot(&terminal{in: stdin, out: stdout, err: stderr})
	root.SetArgs(arguments)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return 0
	case errors.Is(err, errFound):
		return 1
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "glassheap: interrupted")
		return 2
	default:
		fmt.Fprintf(stderr, "glassheap: %v\n", err)
		return 2
	}
}
