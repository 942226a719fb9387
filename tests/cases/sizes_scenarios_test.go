package cases

import (
	"errors"
	"math"
	"strings"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
)

func init() {
	register(map[string]scenario{
		"calloc_zeroed": func(s *stage) {
			a := s.alloc(128 * 16)
			for i := range a {
				a[i] = 0xff
			}
			s.free(a)
			p, err := s.heap.Calloc(128, 16)
			must(err)
			if !isFilled(unsafe.Slice((*byte)(p), 128*16), 0) {
				panic("not zero")
			}
			s.checkIsHealthy()
		},
		"calloc_overflow": func(s *stage) {
			_, err := s.heap.Calloc(math.MaxInt, 2)
			impossible(s, err)
			_, err = s.heap.Calloc(2, math.MaxInt)
			impossible(s, err)
		},
		"impossibly_large": func(s *stage) {
			for _, n := range []int{-8, math.MaxInt, 1 << 62} {
				_, err := s.heap.Alloc(n)
				impossible(s, err)
				if !strings.Contains(err.Error(), itoa(n)) || !strings.Contains(err.Error(), "limit") {
					panic(err)
				}
			}
		},
		"uncontrolled_size": func(s *stage) {
			_, err := s.heap.Alloc(1 << 40)
			impossible(s, err)
			s.free(s.alloc(100))
			s.checkIsHealthy()
		},
		"zero_size_distinct": func(s *stage) {
			if len(s.alloc(0)) != 0 {
				panic("not empty")
			}
			owners := map[unsafe.Pointer]bool{}
			for range 100 {
				p, err := s.heap.Malloc(0)
				must(err)
				q := start(s.alloc(1))
				if owners[p] || owners[q] || p == q {
					panic("the address is another's")
				}
				owners[p], owners[q] = true, true
			}
			s.checkIsHealthy()
		},
		"aligned": func(s *stage) {
			for align := 16; align <= 64<<10; align *= 2 {
				for _, n := range []int{1, 40, 5000} {
					a, err := s.heap.AllocAligned(n, align)
					must(err)
					if uintptr(start(a))%uintptr(align) != 0 {
						panic("not aligned")
					}
					s.free(a)
				}
			}
			for _, align := range []int{0, 3, 1 << 40} {
				if _, err := s.heap.AllocAligned(40, align); err == nil {
					panic("an alignment that there is not")
				}
			}
			s.checkIsHealthy()
		},
		"realloc_foreign": func(s *stage) {
			_, err := s.heap.ReallocPointer(unsafe.Add(nil, 1), 16)
			s.refuses(err, allocator.InvalidFree, nil, "realloc")
			s.checkIsHealthy()
		},
		"realloc_keeps_and_zeroes": func(s *stage) {
			a := s.alloc(48)
			for i := range a {
				a[i] = byte(i)
			}
			for _, n := range []int{40, 56, 112} {
				old := len(a)
				grown, err := s.heap.Realloc(a, n)
				must(err)
				a = grown
				for i := range min(old, n, 40) {
					if a[i] != byte(i) {
						panic("the contents are lost")
					}
				}
				s.checkIsHealthy()
				saved := read(a, n)
				write(a, n, saved^0xff)
				s.checkFinds(inspect.CodeOverflow, start(a), "past a live block of "+itoa(n))
				write(a, n, saved)
			}
			s.free(a)
		},
		"realloc_growth": func(s *stage) {
			a := s.alloc(large)
			for range 20 {
				if len(a) > 16<<20 {
					break
				}
				for i := 0; i < len(a); i += 512 {
					a[i] = byte(i >> 9)
				}
				grown, err := s.heap.Realloc(a, len(a)*3/2)
				must(err)
				for i := 0; i < len(a); i += 512 {
					if grown[i] != byte(i>>9) {
						panic("the contents are lost")
					}
				}
				a = grown
			}
			s.checkIsHealthy()
			s.free(a)
		},
		"realloc_other_goroutine": func(s *stage) {
			handed := make(chan []byte)
			go func() { handed <- s.alloc(40) }()
			a := <-handed
			done := make(chan error)
			go func() {
				b, err := s.heap.Realloc(a, 4000)
				if err == nil {
					err = s.heap.Free(b)
				}
				done <- err
			}()
			must(<-done)
			s.checkIsHealthy()
		},
		"usable_size_invalid": func(s *stage) {
			a, freed := s.alloc(40), s.alloc(40)
			s.free(freed)
			for _, bad := range []struct {
				p    unsafe.Pointer
				kind allocator.Kind
			}{
				{start(freed), allocator.UseAfterFree}, {unsafe.Add(start(a), 8), allocator.InvalidFree},
				{unsafe.Pointer(new(int)), allocator.InvalidFree}, {unsafe.Add(nil, 1), allocator.InvalidFree},
			} {
				_, err := s.heap.UsableSize(bad.p)
				s.refuses(err, bad.kind, nil, "usable size")
			}
			s.checkIsHealthy()
		},
		"leak_close": func(s *stage) {
			allocates(s)
			leak := (*allocator.LeakError)(nil)
			if err := s.heap.Close(); !errors.As(err, &leak) || leak.Blocks != 1 || leak.Leaks[0].Bytes != 64 || !strings.Contains(leak.Error(), "cases.allocates ") {
				panic(err)
			}
			s.note("leak")
		},
	})
}

// impossible expects the error of a size that can never be granted, and a heap that has not changed.
func impossible(s *stage, err error) {
	size := (*allocator.SizeError)(nil)
	if !errors.As(err, &size) {
		panic(err)
	}
	s.note("size error")
	s.checkIsHealthy()
}
