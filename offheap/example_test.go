package offheap_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

// open makes the heap of an example.
func open() *allocator.Heap {
	h, err := allocator.New(allocator.Options{Name: "example", ReserveBytes: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	return h
}

// must ends the program when there is no memory.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func ExampleVec() {
	h := open()
	defer h.Close()
	type point struct{ X, Y int32 }

	points := must(offheap.NewVec[point](h, 2))
	defer points.Free()
	for i := range int32(5) {
		if err := points.Append(point{i, i * i}); err != nil {
			log.Fatal(err)
		}
	}
	points.Slice()[0].Y = 7
	points.Truncate(3)
	fmt.Println(points.Len(), points.Slice())

	_, err := offheap.NewVec[struct{ Name string }](h, 1)
	fmt.Println(err)
	// Output:
	// 3 [{0 7} {1 1} {2 4}]
	// glassheap: a struct { Name string } can't live off-heap: struct { Name string }.Name (string) is a Go pointer, which the collector would not see
}

func ExampleVec_Extend() {
	h := open()
	defer h.Close()
	line := must(offheap.NewVec[byte](h, 0))
	defer line.Free()
	added := must(line.Extend(4))
	n := copy(added, "off-heap")
	fmt.Println(n, string(line.Slice()))
	// Output: 4 off-
}

func ExampleScope() {
	h := open()
	defer h.Close()

	request := offheap.NewScope(h)
	defer request.Free()
	name := must(request.CopyString("glass" + "heap"))
	numbers := must(offheap.MakeIn[uint16](request, 3))
	numbers[1] = 42
	fmt.Println(name, numbers, request.Used(), h.Stats().LiveBlocks)

	if err := request.Reset(); err != nil { // the next request; name and numbers are gone
		log.Fatal(err)
	}
	fmt.Println(request.Used(), h.Stats().LiveBlocks)
	// Output:
	// glassheap [0 42 0] 15 1
	// 0 1
}

func ExamplePool() {
	h := open()
	defer h.Close()
	type page struct {
		Number uint64
		Bytes  [4096]byte
	}

	pages := must(offheap.NewPool[page](h, 16))
	p := must(pages.Get())
	p.Number = 7
	fmt.Println(pages.Put(p), pages.Kept())
	p = must(pages.Get()) // not zeroed: as it was put back
	fmt.Println(p.Number, pages.Put(p))
	fmt.Println(errors.Is(pages.Put(p), offheap.ErrForeign)) // twice
	fmt.Println(pages.Close(), h.Stats().LiveBlocks)
	// Output:
	// <nil> 1
	// 7 <nil>
	// true
	// <nil> 0
}

func ExampleBuffer() {
	h := open()
	defer h.Close()

	b := offheap.NewBuffer(h)
	fmt.Fprintf(b, "%d lines\n", 2)
	must(io.Copy(b, strings.NewReader("of text\n")))
	lines := bufio.NewScanner(b)
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	fmt.Println(b.Len(), b.Free())
	fmt.Println(b.WriteByte('x'))
	// Output:
	// 2 lines
	// of text
	// 0 <nil>
	// offheap: WriteByte of a Buffer: it was freed already
}

func ExampleHandle() {
	h := open()
	handle := offheap.NewHandle(h, must(h.Alloc(100)), func(l offheap.Lost) { fmt.Println(l) })
	copy(handle.Bytes(), "so glad that you came")
	fmt.Println(string(handle.Bytes()[:7]))
	fmt.Println(handle.Free())
	fmt.Println(handle.Free())
	fmt.Println(h.Close())
	// Output:
	// so glad
	// <nil>
	// offheap: Free of a Handle: it was freed already
	// <nil>
}

func ExampleReportLost() {
	h := open()
	lost := make(chan offheap.Lost, 1)
	func() {
		b := offheap.NewBuffer(h, offheap.ReportLost(func(l offheap.Lost) { lost <- l }))
		must(b.WriteString("nobody frees this"))
	}()
	l := collected(lost) // runtime.GC until something is reported
	fmt.Println(l.What, l.Bytes, l.Made.Frames()[0].Function)
	_ = h.Close() // a *LeakError: the Buffer's block is live
	// Output: Buffer 64 github.com/glassheap/glassheap/offheap_test.ExampleReportLost.func1
}

func ExampleLost() {
	l := offheap.Lost{What: "Vec[int]", Bytes: 64, Made: &allocator.Operation{Goroutine: 18}}
	fmt.Fprintln(os.Stdout, l)
	// Output: offheap: a Vec[int] of 64 bytes was never freed, and nothing refers to it any more; made by goroutine 18
}

func ExampleChunkBytes() {
	h := open()
	defer h.Close()
	s := offheap.NewScope(h, offheap.ChunkBytes(1000))
	must(s.Alloc(10))
	must(s.Alloc(600)) // more than a quarter: a block of its own
	fmt.Println(s.Used(), s.Held(), s.Free())
	// Output: 610 1600 <nil>
}

func ExampleApart() {
	h := open()
	defer h.Close()
	s := offheap.NewScope(h, offheap.Apart(true))
	must(s.Alloc(10))
	must(s.Alloc(20))
	fmt.Println(s.Held(), h.Stats().LiveBlocks, s.Free())
	// Output: 30 2 <nil>
}
