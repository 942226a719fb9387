// The program calls itself in many ways and prints, as JSON, the return addresses and what Go's runtime makes of them.
//
//	inlined           the stacks, and single addresses from all over the code
//	inlined -wait     the same, and then wait for the end of the input
package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

type frame struct {
	PC       uint64 `json:"pc"`
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Entry    uint64 `json:"entry"`
	Inlined  bool   `json:"inlined"`
}

type stack struct {
	Name   string   `json:"name"`
	PCs    []uint64 `json:"pcs"`
	Frames []frame  `json:"frames"`
}

var stacks []stack

const depth = 1000

//go:noinline
func record(name string) {
	pcs := make([]uintptr, depth)
	keep(name, pcs[:runtime.Callers(1, pcs)])
}

// keep notes what the runtime makes of a list of addresses.
func keep(name string, pcs []uintptr) {
	s := stack{Name: name}
	for _, pc := range pcs {
		s.PCs = append(s.PCs, uint64(pc))
	}
	frames := runtime.CallersFrames(pcs)
	for more := len(pcs) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		if f.PC != 0 { // there was none
			s.Frames = append(s.Frames, frame{uint64(f.PC), f.Function, f.File, f.Line, uint64(f.Entry), f.Func == nil})
		}
	}
	stacks = append(stacks, s)
}

func first(name string)  { second(name) }
func second(name string) { third(name) }
func third(name string)  { record(name) }

type number interface{ ~int | ~float64 }

// Pair is generic, and so are its methods.
type Pair[K comparable, V any] struct {
	key   K
	value V
}

//go:noinline
func (p *Pair[K, V]) Slow(name string) { p.Quick(name) }

// Quick is inlined.
func (p *Pair[K, V]) Quick(name string) { apply(func() { third(name) }) }

func apply(f func()) { f() }

//go:noinline
func sum[T number](name string, list ...T) (total T) {
	for _, n := range list {
		total += n
	}
	visit(list, func(T) { third(name) })
	return total
}

func visit[T any](list []T, f func(T)) {
	for _, n := range list {
		f(n)
	}
}

type shape interface{ area(name string) int }

type square struct{ side int }

// area is called through wrappers: of *square, and of what embeds it.
func (s square) area(name string) int {
	second(name)
	return s.side * s.side
}

//go:noinline
func ask(s shape, name string) int { return s.area(name) }

type tile struct {
	colour string
	square
}

type board struct{ *tile }

//go:noinline
func deep(n int, name string) int {
	if n == 0 {
		first(name)
		return 0
	}
	return 1 + deeper(n, name)
}

func deeper(n int, name string) int { return deep(n-1, name) + 1 }

type mistake struct{}

func (mistake) Error() string { return "a mistake" }

//go:noinline
func fault(p *int) int { return *p }

//go:noinline
func recovered(name string, f func()) {
	defer func() {
		third(name)
		_ = recover()
	}()
	f()
}

func main() {
	first("inlined")
	(&Pair[string, int]{"a", 1}).Slow("generic method")
	(&Pair[mistake, []byte]{}).Quick("generic method, inlined")
	sum("generic function", 1)
	sum("generic function", 1.5)
	func() { func() { second("closures") }() }()
	slices.SortFunc([]int{2, 1}, func(a, b int) int {
		third("closure called by the library")
		return a - b
	})
	for _, s := range []shape{square{2}, &square{3}, tile{"red", square{4}}, &tile{"blue", square{5}}, board{&tile{}}, &board{&tile{}}} {
		ask(s, "method behind an interface")
	}
	area := shape(&tile{}).area
	area("method value")
	(*tile).area(&tile{}, "method expression")
	deep(50, "deep")
	deep(3*depth, "deeper than the list")
	recovered("panic", func() { panic(errors.New("x")) })
	recovered("fault", func() { fault(nil) })
	recovered("nil behind an interface", func() { ask((*square)(nil), "") })
	recovered("index", func() { _ = os.Args[len(stacks)] })
	var wait sync.WaitGroup
	wait.Go(func() { first("goroutine") })
	wait.Wait()
	wait.Add(1)
	go (&tile{}).started(&wait)
	wait.Wait()
	defer func() {
		first("deferred")
		shortened()
		everywhere()
		_ = json.NewEncoder(os.Stdout).Encode(stacks)
		if len(os.Args) > 1 && os.Args[1] == "-wait" {
			_, _ = io.Copy(io.Discard, os.Stdin)
		}
	}()
	strings.Map(func(r rune) rune {
		third("inlined into the library, perhaps")
		return r
	}, "x")
}

func (t *tile) started(wait *sync.WaitGroup) {
	second("method in a goroutine")
	wait.Done()
}

// shortened gives the runtime lists that begin and end in the middle of inlined calls, and such that have only the addresses
// that are on the stack.
func shortened() {
	for _, s := range slices.Clone(stacks) {
		var pcs, real []uintptr
		for i, pc := range s.PCs {
			pcs = append(pcs, uintptr(pc))
			if i == 0 || len(s.Frames) == len(s.PCs) && !s.Frames[i-1].Inlined {
				real = append(real, uintptr(pc))
			}
		}
		keep(s.Name+", real addresses", real)
		if len(pcs) > 8 {
			pcs = pcs[:8]
		}
		for from := range pcs {
			for to := from + 1; to <= len(pcs); to++ {
				keep(s.Name+", a part", pcs[from:to])
			}
		}
	}
}

// everywhere asks for addresses all over the code, whether or not there is a call before them. The second address belongs to
// nothing: calls that the first one's is inlined into are told only when the list does not end there.
func everywhere() {
	is := func(pc uintptr) bool { return runtime.FuncForPC(pc) != nil }
	here, _, _, _ := runtime.Caller(0)
	low, high := here, here
	for step := uintptr(1 << 24); step > 0; step /= 2 {
		for low > step && is(low-step) {
			low -= step
		}
		for is(high + step) {
			high += step
		}
	}
	for pc := low; pc <= high; pc += 53 {
		keep("anywhere", []uintptr{pc, 1})
	}
}
