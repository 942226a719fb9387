package cases

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

func init() {
	register(map[string]scenario{
		"oob_read_guarded":  func(s *stage) { outOfBounds(s, func(a []byte) { aByte = read(a, 64) }) },
		"oob_write_guarded": func(s *stage) { outOfBounds(s, func(a []byte) { write(a, 64, 1) }) },
		"oob_left_guarded": func(s *stage) {
			a := guarded(s, 64, false)
			s.faultsWith(allocator.OutOfBounds, a, func() { aByte = read(a, -1) })
			s.free(a)
			s.checkIsHealthy()
		},
		"corruption_guarded_slack": func(s *stage) {
			a := guarded(s, 60, true)
			write(a, 61, 0x41)
			s.checkFinds(inspect.CodeOverflow, start(a), "past a live guarded block of 60")
			s.refuses(s.heap.Free(a), allocator.Overflow, start(a), "")
			s.checkIsHealthy()
		},
		"uaf_read_guarded": func(s *stage) {
			a := guarded(s, 64, true)
			freesTheOther(s, a)
			v := s.faultsWith(allocator.UseAfterFree, a, func() { aByte = a[0] })
			if !strings.Contains(v.Error(), "allocated by") || !calls(v.Freed, "freesTheOther") {
				panic(v)
			}
			s.checkIsHealthy()
		},
		"uaf_via_syscall": func(s *stage) {
			a := guarded(s, 64, true)
			s.free(a)
			zero, err := unix.Open("/dev/zero", unix.O_RDONLY, 0)
			must(err)
			if _, err := unix.Read(zero, a); err != unix.EFAULT {
				panic(err)
			}
			v := allocator.Explain(uint64(uintptr(start(a))))
			if v == nil || v.Kind != allocator.UseAfterFree {
				panic(v)
			}
			s.note(string(v.Kind))
			s.checkIsHealthy()
		},
		"zero_size_write_guarded": func(s *stage) {
			p, err := s.heap.Malloc(0)
			must(err)
			v := s.faults(func() { *(*byte)(p) = 1 })
			if v == nil || v.Kind != allocator.OutOfBounds || v.Block != uint64(uintptr(p)) {
				panic(v)
			}
			s.note(string(v.Kind))
			must(s.heap.FreePointer(p))
			s.checkIsHealthy()
		},
		"bulk": func(s *stage) {
			var all [][]byte
			for n := 1; n < 2000; n++ {
				all = append(all, s.alloc(n*7%6000+1))
			}
			s.checkIsHealthy()
			for _, b := range all {
				b[0], b[len(b)-1] = 1, 2
				s.free(b)
			}
			s.checkIsHealthy()
		},
	})
}

var aByte byte

// guarded is a guarded block that ends (or, if not right, begins) at an inaccessible page, but for its alignment.
func guarded(s *stage, n int, right bool) []byte {
	for {
		a := s.alloc(n)
		if ends := (uintptr(start(a))+uintptr(n)+7)&^7%layout.PageBytes == 0; ends == right {
			return a
		}
		s.free(a)
	}
}

func outOfBounds(s *stage, access func(a []byte)) {
	a := guarded(s, 64, true)
	v := s.faultsWith(allocator.OutOfBounds, a, func() { access(a) })
	if v.Size != 64 || !strings.Contains(v.Error(), "64, 1 behind the end of a block of 64 bytes") || v.Allocated == nil {
		panic(v)
	}
	s.free(a)
	s.checkIsHealthy()
}

// faults runs f, which has to fault, and returns what the fault means; nil: nothing to this heap.
func (s *stage) faults(f func()) (v *allocator.Violation) {
	defer func() {
		if recovered := recover(); recovered != nil {
			if _, isFault := recovered.(interface{ Addr() uintptr }); !isFault {
				panic(recovered)
			}
		}
	}()
	if err := allocator.CatchFaults(f); err != nil {
		return err.(*allocator.Violation)
	}
	panic("no fault")
}

// faultsWith is faults, for a fault that means something about a block.
func (s *stage) faultsWith(kind allocator.Kind, a []byte, f func()) *allocator.Violation {
	v := s.faults(f)
	if v == nil || v.Kind != kind || unsafe.Add(nil, v.Block) != start(a) {
		panic(v)
	}
	s.note(string(kind))
	return v
}
