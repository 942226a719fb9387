package cases

import (
	"strconv"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

func itoa(n int) string { return strconv.Itoa(n) }

func init() {
	register(map[string]scenario{
		"overflow_small_1_byte": func(s *stage) {
			a := s.alloc(8)
			write(a, 8, 0x41)
			overflowed(s, a, "by 1 byte")
		},
		"overflow_small_8_byte": func(s *stage) {
			a := s.alloc(8)
			write(a, 8+7, ^read(a, 8+7))
			overflowed(s, a, "by 8 bytes|8 behind")
		},
		"overflow_slack_byte": func(s *stage) {
			a := s.alloc(18)
			write(a, 18, 1, 2)
			overflowed(s, a, "by 2 bytes, past a live block of 18")
		},
		"overflow_every_size": func(s *stage) {
			for n := 1; n <= 1100; n++ {
				a := s.alloc(n)
				write(a, n, 0)
				if n%100 == 0 {
					s.checkFinds(inspect.CodeOverflow, start(a), "by 1 byte, past a live block of "+itoa(n))
				}
				s.refuses(s.heap.Free(a), allocator.Overflow, start(a), "")
			}
		},
		"overflow_clobber_zone": func(s *stage) {
			a := s.alloc(64)
			write(a, 64, 0x12)
			s.checkFinds(inspect.CodeOverflow, start(a), "by 1 byte, past a live block of 64")
		},
		"overflow_into_free_neighbour": func(s *stage) {
			a, b := neighbours(s)
			s.free(b)
			for i := range 16 {
				write(a, 64+i, 0x3d)
			}
			overflowed(s, a, "past a live block")
		},
		"overflow_into_live_neighbour": func(s *stage) {
			a, b := neighbours(s)
			for i := range layout.SealBytes + 64 + layout.SealBytes {
				write(a, 64+i, 0x3d)
			}
			s.checkFinds(inspect.CodeOverflow, start(a), "past a live block")
			s.refuses(s.heap.Free(a), allocator.Overflow, start(a), "")
			s.refuses(s.heap.Free(b), allocator.Overflow, start(b), "")
		},
		"overflow_large_1_byte": func(s *stage) { pastASpan(s, 0) },
		"overflow_large_8_byte": func(s *stage) { pastASpan(s, 7) },
		"string_overflow": func(s *stage) {
			a := s.alloc(21)
			for i := range a {
				a[i] = 'x'
			}
			end := 0
			for read(a, end) != 0 && end < 21+16 {
				end++
			}
			s.checkIsHealthy()
			s.free(a)
		},
		"underflow_1_byte": func(s *stage) {
			before, a := neighbours(s)
			write(a, -1, ^read(a, -1))
			s.checkFinds(inspect.CodeOverflow, start(before), "1 before the block behind it")
			s.refuses(s.heap.Free(a), allocator.Underflow, start(a), "")
		},
		"underflow_aligned": func(s *stage) {
			block, a := s.insideItsBlock()
			healthy := read(a, -1)
			write(a, -1, ^healthy)
			s.checkFinds(inspect.CodeUnderflow, block, "underflow by 1 byte, before a live block of 100")
			write(a, -1, healthy)
			s.checkIsHealthy()
			for i := 1; i <= 16; i++ {
				write(a, -i, 'x')
			}
			s.checkFinds(inspect.CodeUnderflow, block, "the mark before a live block, which was allocated aligned, is written over")
			s.refuses(s.heap.Free(a), allocator.Underflow, block, "")
		},
		"underflow_first_block": func(s *stage) {
			// The first block of the second slab: a block of 328 bytes leaves the end of its slab unused.
			first := s.alloc(328)
			last := first
			for uintptr(start(last))%layout.PageBytes != 0 || start(last) == start(first) {
				last = s.alloc(328)
			}
			write(last, -1, 0x41)
			s.checkFinds(inspect.CodeUnderflow, start(last), "before the first block of a slab")
			// Before the first block of the first arena nothing may be touched at all.
			v := s.faults(func() { write(first, -1, 0x41) })
			_ = v
		},
	})
}

// insideItsBlock is a block of 100 bytes that was allocated aligned to 64, and begins inside its block.
func (s *stage) insideItsBlock() (block unsafe.Pointer, a []byte) {
	for {
		b := s.alloc(100 + 64 - layout.ClassGrain) // what AllocAligned takes
		if block = start(b); uintptr(block)%64 == 0 {
			continue
		}
		s.free(b) // to be given out next
		a, err := s.heap.AllocAligned(100, 64)
		must(err)
		if inside := uintptr(start(a)) - uintptr(block); inside > 0 && inside < 64 {
			return block, a
		}
	}
}

// overflowed expects that check and Free blame a block for having been written past its end.
func overflowed(s *stage, a []byte, summary string) {
	s.checkFinds(inspect.CodeOverflow, start(a), summary)
	s.refuses(s.heap.Free(a), allocator.Overflow, start(a), "")
	s.checkIsHealthy() // the block is out of use
}

// neighbours are two blocks of 64 bytes, one right behind the other.
func neighbours(s *stage) (a, b []byte) {
	a, b = s.alloc(64), s.alloc(64)
	for unsafe.Add(start(a), 64+layout.SealBytes) != start(b) {
		a, b = b, s.alloc(64)
	}
	return a, b
}

func pastASpan(s *stage, offset int) {
	a := s.alloc(large)
	v := s.faults(func() { write(a, large+offset, 0x41) })
	if v == nil || v.Kind != allocator.OutOfBounds || v.Block != uint64(uintptr(start(a))) || v.Size != large {
		panic(v)
	}
	s.note(string(v.Kind))
	s.checkIsHealthy()
	s.free(a)
}
