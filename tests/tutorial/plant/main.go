// Command plant builds the program of a lesson with its mistake in it, and says what to type next.
//
//	go run ./tests/tutorial/plant bintable
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/glassheap/glassheap/tests/tutorial"
)

func main() {
	if err := plant(context.Background(), os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "plant:", err)
		os.Exit(2)
	}
}

func plant(ctx context.Context, out io.Writer, arguments []string) error {
	var names []string
	for _, l := range tutorial.Lessons {
		names = append(names, l.Name)
	}
	if len(arguments) != 1 {
		return fmt.Errorf("name one lesson: go run ./tests/tutorial/plant %s", strings.Join(names, "|"))
	}
	l, ok := tutorial.Find(arguments[0])
	if !ok {
		return fmt.Errorf("there is no lesson %q: choose %s", arguments[0], strings.Join(names, ", "))
	}
	folder := filepath.Join(os.TempDir(), "glassheap-tutorial", l.Name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	program, err := l.Build(ctx, folder)
	if err != nil {
		return err
	}
	environment := ""
	if l.Environment != "" {
		environment = l.Environment + " "
	}
	_, err = fmt.Fprintf(out, `%s
built  %s

next   %[4]sgo run ./cmd/glassheap dlv exec %[2]s
       %[4]sgo run ./cmd/glassheap gdb %[2]s
or     %[4]s%[2]s
       and from another terminal: go run ./cmd/glassheap %[3]s PID
`, l.Question, program, l.Command, environment)
	return err
}
