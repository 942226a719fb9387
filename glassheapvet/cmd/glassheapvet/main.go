// Command glassheapvet finds the obvious mistakes in the use of glassheap's allocator.
//
//	glassheapvet ./...
//	go vet -vettool=$(which glassheapvet) ./...
//
// Both are one: with package patterns it calls go vet with itself as the tool. Every flag of go vet goes there, too; a check's
// name, as -useafterfree, selects that check. `glassheapvet help` lists them. Exit status 1: something was found.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/glassheap/glassheap/glassheapvet"
	"golang.org/x/tools/go/analysis/unitchecker"
)

const usage = `glassheapvet finds the obvious mistakes in the use of glassheap's allocator.

	glassheapvet ./...                                  packages, and all flags of go vet
	glassheapvet -useafterfree ./...                    one check; -useafterfree=false: all others
	glassheapvet help                                   the checks
	go vet -vettool=$(which glassheapvet) ./...         the same

A line that ends in //glassheap:ignore is let be. Exit status 1: something was found.
`

func main() {
	if len(os.Args) == 1 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if calledByGo(os.Args[1:]) {
		unitchecker.Main(glassheapvet.Analyzers()...)
	}
	os.Exit(runVet(os.Args[1:]))
}

// calledByGo is true of what the go command asks a vet tool, and of help.
func calledByGo(args []string) bool {
	return args[0] == "help" || args[0] == "-flags" || strings.HasPrefix(args[0], "-V") || strings.HasSuffix(args[len(args)-1], ".cfg")
}

// runVet is go vet with this executable as its tool; what it returns is the exit status.
func runVet(args []string) int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "glassheapvet: can't tell where it is itself, which go vet has to know:", err)
		return 2
	}
	vet := exec.Command("go", append([]string{"vet", "-vettool=" + self}, args...)...)
	vet.Stdin, vet.Stdout, vet.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = vet.Run()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return failed.ExitCode()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "glassheapvet: can't run go vet:", err)
		return 2
	}
	return 0
}
