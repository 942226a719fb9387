// Package onlookers lets a program of the tutorial be looked at from outside.
package onlookers

import (
	"fmt"
	"io"
	"os"
)

// Await says which process this is, and waits until its input ends.
func Await() {
	LetTrace()
	fmt.Printf("ready: process %d waits for the end of its input\n", os.Getpid())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
