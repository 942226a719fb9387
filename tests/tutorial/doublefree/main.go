// Command doublefree keeps orders off Go's heap. Where it refuses an order, two functions think that the block is theirs to
// free.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/tests/tutorial/onlookers"
)

// book holds the blocks of the orders that were accepted.
type book struct {
	heap   *allocator.Heap
	orders [][]byte
}

func main() {
	// A server that goes on: a broken rule is reported, and Free returns it as its error.
	heap, err := allocator.New(allocator.Options{Name: "orders", Policy: allocator.PolicyReport, ReserveBytes: 64 << 20})
	check(err)
	b := &book{heap: heap}
	for _, line := range []string{"2 cups", "a teapot", "3 spoons"} {
		if err := b.accept(line); err != nil {
			fmt.Printf("%q was refused\n", line)
		}
	}
	wait()
	for _, order := range b.orders {
		check(heap.Free(order))
	}
}

// accept gives an order a block of its own.
func (b *book) accept(line string) error {
	block, err := b.heap.Alloc(len(line))
	if err != nil {
		return err
	}
	copy(block, line)
	if err := b.enter(block); err != nil {
		return errors.Join(err, b.heap.Free(block))
	}
	return nil
}

// enter writes an order into the book. What is no order is let go of.
func (b *book) enter(block []byte) error {
	amount, _, _ := bytes.Cut(block, []byte(" "))
	if _, err := strconv.Atoi(string(amount)); err != nil {
		return errors.Join(err, b.heap.Free(block))
	}
	b.orders = append(b.orders, block)
	return nil
}

// wait lets the program be looked at until its input ends.
//
//go:noinline
func wait() { onlookers.Await() }

func check(err error) {
	if err != nil {
		panic(err)
	}
}
