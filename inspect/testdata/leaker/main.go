// Command leaker keeps blocks and loses others, for the tests that look for them from outside. The first argument is the mode:
// audit, sealed or plain; the second, a number, is how many more blocks it keeps. It says what its own allocator knows of the
// live blocks, as JSON, and ends with its input. Before that it does what the input's lines say: "leak N" loses N blocks, "free N"
// frees N of those that it keeps.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/heapprofile"
)

var (
	heap *allocator.Heap
	kept [][]byte       // reachable from a global
	list unsafe.Pointer // the first of a list of blocks, which lead to each other
	half uintptr        // an address inside a block

)

//go:noinline
func keepSessions(n int) {
	for range n {
		b, err := heap.Alloc(48)
		must(err)
		kept = append(kept, b)
	}
}

//go:noinline
func keepMore(n int) {
	for range n {
		b, err := heap.Alloc(40)
		must(err)
		kept = append(kept, b)
	}
}

//go:noinline
func keepList() {
	for range 5 {
		p := node(list)
		list = p
	}
}

//go:noinline
func keepHalf() { half = uintptr(block(64)) + 20 }

//go:noinline
func leakOrders() {
	for range 50 {
		block(72)
	}
}

//go:noinline
func leakChains() {
	for range 10 {
		node(node(node(node(nil))))
	}
}

//go:noinline
func leakCircles() {
	for range 4 {
		first := node(nil)
		*(*unsafe.Pointer)(first) = node(first)
	}
}

//go:noinline
func leakPastTheEnd() {
	half2 = uintptr(block(56)) + 56
}

var half2 uintptr // an address behind a block

//go:noinline
func leakMore(n int) {
	for range n {
		block(120)
	}
}

//go:noinline
func leakReport() { block(200_000) }

// record allocates a record; it is inlined into whoever calls it.
func record(n int) unsafe.Pointer { return block(n) }

// leakInlined leaks by way of a call that was inlined.
//
//go:noinline
func leakInlined() {
	record(104)
	record(104)
}

// block is inlined into whoever calls it.
func block(n int) unsafe.Pointer {
	p, err := heap.Malloc(n)
	must(err)
	return p
}

// node is a block that begins with the address of another one.
//
//go:noinline
func node(next unsafe.Pointer) unsafe.Pointer {
	p := block(24)
	*(*[3]unsafe.Pointer)(p) = [3]unsafe.Pointer{next}
	return p
}

// forget writes over what calls have left on the stack.
//
//go:noinline
func forget() (sum int) {
	var room [16 << 10]byte
	for i := range room {
		sum += int(room[i])
	}
	return sum
}

func plant() {
	forget() // the stack grows now: one that is grown is a copy, and the old one stays as it was
	keepList()
	keepHalf()
	leakOrders()
	leakChains()
	leakCircles()
	leakPastTheEnd()
	leakReport()
	leakInlined()
	forget()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// leak is what the allocator itself knows of a place.
type leak struct {
	Blocks, Bytes uint64
	Frames        []frame
}

type frame struct {
	Function, File string
	Line           int
}

func main() {
	mode := map[string]allocator.Mode{"audit": allocator.ModeAudit, "sealed": allocator.ModeSealed, "plain": allocator.ModePlain}[os.Args[1]]
	more, err := strconv.Atoi(os.Args[2])
	must(err)
	heap, err = allocator.New(allocator.Options{Name: "leaker", Mode: mode, ReserveBytes: int64(64+more/5_000) << 20})
	must(err)
	kept = make([][]byte, 0, 100+more)
	keepSessions(100)
	keepMore(more)
	var planting sync.WaitGroup
	planting.Go(plant)
	planting.Wait()
	freed, err := heap.Alloc(88)
	must(err)
	must(heap.Free(freed))
	runtime.GC()

	leaks := []leak{}
	for _, l := range heap.Leaks() {
		known := leak{Blocks: l.Blocks, Bytes: l.Bytes}
		if l.Allocated != nil {
			for _, f := range l.Allocated.Frames() {
				known.Frames = append(known.Frames, frame{f.Function, f.File, f.Line})
			}
		}
		leaks = append(leaks, known)
	}
	if len(os.Args) > 3 {
		file, err := os.Create(os.Args[3])
		must(err)
		must(heapprofile.Write(file, heap))
		must(file.Close())
	}
	must(json.NewEncoder(os.Stdout).Encode(leaks))
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var what string
		var n int
		_, err := fmt.Sscan(lines.Text(), &what, &n)
		must(err)
		switch what {
		case "leak":
			leakMore(n)
			fmt.Println("leaked")
		case "free":
			for range n {
				must(heap.Free(kept[len(kept)-1]))
				kept = kept[:len(kept)-1]
			}
			fmt.Println("freed")
		}
	}
	runtime.KeepAlive(kept)
}
