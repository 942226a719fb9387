package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// busyVariable tells the second process what it is.
const busyVariable = "GLASSHEAP_BENCH_BUSY"

// busy is the program that is checked.
type busy struct {
	*exec.Cmd
	ask    io.WriteCloser
	answer *bufio.Scanner
}

// start starts this program a second time, and waits until its heap is full.
func (o *options) start() (*busy, error) {
	b := &busy{Cmd: exec.Command("/proc/self/exe", os.Args[1:]...)}
	b.Env = append(os.Environ(), busyVariable+"=1")
	b.Stderr = os.Stderr
	out, err := b.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if b.ask, err = b.StdinPipe(); err != nil {
		return nil, err
	}
	b.answer = bufio.NewScanner(out)
	if err := b.Start(); err != nil {
		return nil, err
	}
	if _, err := b.operations(); err != nil {
		b.end()
		return nil, err
	}
	return b, nil
}

func (b *busy) pid() int { return b.Process.Pid }

// end ends the program: it lives as long as its input.
func (b *busy) end() {
	b.ask.Close()
	_ = b.Wait()
}

// operations is how many there were so far.
func (b *busy) operations() (uint64, error) {
	if _, err := fmt.Fprintln(b.ask); err != nil {
		return 0, err
	}
	if !b.answer.Scan() {
		return 0, io.ErrUnexpectedEOF
	}
	return strconv.ParseUint(b.answer.Text(), 10, 64)
}

// throughput is how many operations there are a second while something is done.
func (b *busy) throughput(meanwhile func() error) (float64, error) {
	before, err := b.operations()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := meanwhile(); err != nil {
		return 0, err
	}
	after, err := b.operations()
	return float64(after-before) / time.Since(began).Seconds(), err
}

// keepBusy is the second process: it fills a heap, and then replaces blocks at random, one in each operation.
func (o *options) keepBusy() error {
	heap, err := allocator.New(allocator.Options{Name: "busy"})
	if err != nil {
		return err
	}
	done := make([]atomic.Uint64, 8*o.goroutines) // each in a cache line of its own
	failed := make(chan error, o.goroutines)
	for g := range o.goroutines {
		blocks := make([]unsafe.Pointer, o.bytes/o.goroutines/(o.size+8))
		for i := range blocks {
			if blocks[i], err = heap.Malloc(o.size); err != nil {
				return err
			}
		}
		go func() {
			r := rand.New(rand.NewPCG(uint64(g), 1))
			for n := uint64(0); ; n++ {
				i := r.IntN(len(blocks))
				err := heap.FreePointer(blocks[i])
				if err == nil {
					blocks[i], err = heap.Malloc(o.size)
				}
				if err != nil {
					failed <- err
					return
				}
				*(*uint64)(blocks[i]) = n
				done[8*g].Store(n)
			}
		}()
	}
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		total := uint64(0)
		for g := range o.goroutines {
			total += done[8*g].Load()
		}
		fmt.Println(total)
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}
