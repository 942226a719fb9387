// Command plant builds a program of tests/realworld with a bug to look for.
//
//	go run ./tests/realworld/plant forgotten
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/glassheap/glassheap/tests/realworld"
)

func main() {
	if err := plant(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "plant:", err)
		os.Exit(2)
	}
}

func plant(ctx context.Context, out io.Writer, arguments []string) error {
	bug, ok := realworld.Bug{}, false
	if len(arguments) == 1 {
		bug, ok = realworld.FindBug(arguments[0])
	}
	if !ok {
		text := "name one bug: go run ./tests/realworld/plant BUG, where BUG is"
		for _, b := range realworld.Bugs {
			text += fmt.Sprintf("\n   %-12s %s: %s", b.Name, b.Program, b.About)
		}
		return fmt.Errorf("%s", text)
	}
	folder := filepath.Join(os.TempDir(), "glassheap-realworld", bug.Name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	program, err := bug.Build(ctx, folder)
	if err == nil {
		_, err = fmt.Fprintln(out, program)
	}
	return err
}
