// Command victim makes a heap, plays cases on it, one after the other, and stops wherever a case wants the heap to be looked
// at. Its arguments are
//
//	victim HOW MODE CASE STEP… CASE STEP…
//
// MODE is the heap's. HOW says how it stops: "lines" prints a line, and another with what the program itself finds, and waits
// for one. "core FOLDER" has the kernel make a core of it there, "ask QUESTION" makes it answer that itself; any other lets it go
// on. "breakpoint" calls looked; "trap" executes the processor's breakpoint, where a debugger without symbols stops.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

func main() {
	unix.Prctl(unix.PR_SET_PTRACER, ^uintptr(0), 0, 0, 0) // whoever runs the tests may attach, under Yama too
	const seconds = 60                                    // of the processor: more than it needs, should a test forget it
	_ = unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: seconds, Max: seconds})
	stop, words := stops[os.Args[1]], os.Args[3:]
	h := busy(must(layout.ParseMode(os.Args[2])))
	keepCoresSmall()
	var m *metadata
	if len(words) > 0 {
		m = metadataOf(h)
	}
	name, place, repair := "", "", func() {}
	for len(words) > 0 {
		switch step := words[0]; step {
		case "damage":
			place, repair = cases[name](m)
		case "check":
			stop(name + " " + place)
		case "repair":
			repair()
			place, repair = "nothing", func() {}
		default: // the name of a case
			repair()
			if cases[step] == nil {
				panic("no case is called " + step)
			}
			name, repair = step, func() {}
		}
		words = words[1:]
	}
	repair()
	stop("end nothing")
	if err := h.Close(); err == nil {
		panic("some blocks are live")
	}
}

// stops are the ways to stop. A text says which case it is, and what is damaged: "CASE Struct.Field=VALUE".
var stops = map[string]func(string){
	"lines": func(text string) {
		say(text)
		askMyself()
		for input.Scan() {
			words := strings.Fields(input.Text())
			switch {
			case len(words) == 2 && words[0] == "core":
				fmt.Println(dumpCore(words[1]))
			case len(words) > 1 && words[0] == "ask":
				fmt.Println(ask(words[1:]))
			default:
				return
			}
		}
		os.Exit(1)
	},
	"breakpoint": func(text string) {
		say(text)
		looked()
	},
	"trap": func(text string) {
		say(text)
		runtime.Breakpoint()
	},
}

var input = bufio.NewScanner(os.Stdin)

func say(text string) {
	stopped = text
	fmt.Println("stopped: " + text)
}

// askMyself prints what the program itself finds wrong with its heap, on a line.
func askMyself() {
	self := must(target.Self(target.Options{}))
	defer self.Close()
	answer := must(inspect.Check(context.Background(), self, inspect.CheckOptions{}))
	fmt.Printf("%s\n", must(json.Marshal(answer)))
}

// stopped is the text of the last stop, for debuggers.
var stopped string

// looked is where debuggers have their breakpoint.
//
//go:noinline
func looked() {}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// reserve keeps the heap small: it is dumped whole.
const reserve = 16 << 20

// busy makes a heap that has something on every list that a case damages: two bins with several slabs that have room, free
// lists of several blocks, full and half-full magazines. It has no span: gcore loses what lies behind a guard page. Nothing is given
// back in the background, which would walk lists that are damaged just then.
func busy(mode allocator.Mode) *allocator.Heap {
	h := must(allocator.New(allocator.Options{Name: "sessions", Mode: mode, ReserveBytes: reserve, ScavengeAfter: -1, Policy: allocator.PolicyReport}))
	freeEvery3rd := func(blocks [][]byte, from int) {
		for i := from; i < len(blocks); i += 3 {
			if err := h.Free(blocks[i]); err != nil {
				panic(err)
			}
		}
	}
	var bins [][][]byte
	for _, size := range []int{700, 1000} {
		var blocks [][]byte
		for i := range 150 {
			b := must(h.Alloc(size - i%8))
			copy(b, fmt.Sprintf("session %03d", i))
			blocks = append(blocks, b)
		}
		freeEvery3rd(blocks, 0)
		bins = append(bins, blocks)
	}
	h.Scavenge() // what was freed so far lies in its slabs, what follows in magazines
	for _, blocks := range bins {
		freeEvery3rd(blocks[:20], 1)
	}
	return h
}
