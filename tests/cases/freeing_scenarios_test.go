package cases

import (
	"os"
	"runtime"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

const large = 256 << 10 // a span

var aGlobal int

func init() {
	register(map[string]scenario{
		"double_free_small":         func(s *stage) { doubleFree(s, 16) },
		"double_free_large":         func(s *stage) { doubleFree(s, large) },
		"double_free_small_delayed": func(s *stage) { doubleFreeDelayed(s, 16) },
		"double_free_large_delayed": func(s *stage) { doubleFreeDelayed(s, large) },
		"double_free_after_reuse": func(s *stage) {
			a := s.alloc(64)
			s.free(a)
			s.refuses(s.heap.Free(a), allocator.DoubleFree, start(a), "freed again by")
			b := s.alloc(64)
			for start(b) != start(a) {
				s.free(b)
				b = s.alloc(64)
			}
			freesTheOther(s, a)
			v := s.refuses(s.heap.Free(b), allocator.DoubleFree, start(b), "")
			if !calls(v.Freed, "freesTheOther") {
				panic("the first free is not named: " + v.Error())
			}
			s.checkIsHealthy()
		},
		"double_free_two_goroutines": func(s *stage) {
			twoGoroutines(s, s.heap, 100_000, false)
			audited, err := allocator.New(allocator.Options{Name: "audited", Mode: allocator.ModeAudit, ReserveBytes: 64 << 20, OnViolation: s.violated})
			must(err)
			rounds := 100_000
			if os.Getenv("GLASSHEAP_TEST_THOROUGH") != "" {
				rounds = 1_000_000
			}
			twoGoroutines(s, audited, rounds, true)
			must(audited.Close())
			s.violations = nil
			s.note("double-free")
		},
		"unaligned_free_small": func(s *stage) { interior(s, 16, 1) },
		"unaligned_free_large": func(s *stage) { interior(s, large, 1) },
		"free_middle":          func(s *stage) { interior(s, 100, 40) },
		"uninitialized_free": func(s *stage) {
			s.refuses(s.heap.FreePointer(unsafe.Add(nil, 1)), allocator.InvalidFree, nil, "does not belong to this heap")
			s.checkIsHealthy()
		},
		"free_stack_or_go_heap": func(s *stage) {
			var onStack int
			onHeap := new(int)
			s.refuses(s.heap.FreePointer(unsafe.Pointer(onHeap)), allocator.InvalidFree, nil, "looks like one of Go's own heap")
			s.refuses(s.heap.FreePointer(unsafe.Pointer(&onStack)), allocator.InvalidFree, nil, "does not belong to this heap")
			s.refuses(s.heap.FreePointer(unsafe.Pointer(&aGlobal)), allocator.InvalidFree, nil, "does not belong to this heap")
			s.checkIsHealthy()
			runtime.KeepAlive(onHeap)
		},
		"free_other_heap": func(s *stage) {
			other, err := allocator.New(allocator.Options{Name: "h1", ReserveBytes: 16 << 20})
			must(err)
			a, err := other.Alloc(32)
			must(err)
			s.refuses(s.heap.Free(a), allocator.InvalidFree, nil, `belongs to another heap, "h1"`)
			must(other.Free(a))
			must(other.Close())
			s.checkIsHealthy()
		},
		"invalid_free_protected":   func(s *stage) { foreignMapping(s, unix.PROT_NONE) },
		"invalid_free_unprotected": func(s *stage) { foreignMapping(s, unix.PROT_READ|unix.PROT_WRITE) },
		"invalid_free_small_region": func(s *stage) {
			a := s.alloc(16)
			s.refuses(s.heap.FreePointer(unsafe.Add(start(a), 4*layout.PageBytes)), allocator.InvalidFree, nil, "")
			s.checkIsHealthy()
		},
		"invalid_free_small_region_far": func(s *stage) {
			a := s.alloc(16)
			s.refuses(s.heap.FreePointer(unsafe.Add(start(a), 1<<30)), allocator.InvalidFree, nil, "")
			s.checkIsHealthy()
		},
		"free_never_allocated_block": func(s *stage) {
			a := s.alloc(64)
			s.refuses(s.heap.FreePointer(unsafe.Add(start(a), 55*(64+layout.SealBytes))), allocator.InvalidFree, nil, "never allocated")
			s.checkIsHealthy()
		},
		"free_metadata": func(s *stage) {
			span := s.alloc(large)
			base, _ := s.heap.Range()
			head := (*layout.Header)(unsafe.Add(nil, base))
			for _, address := range []uint64{base, head.Identity.Descriptors, uint64(head.Identity.Bins), base + layout.HeaderBytes} {
				s.refuses(s.heap.FreePointer(unsafe.Add(nil, address)), allocator.InvalidFree, nil, "the heap's own metadata")
			}
			guard := (uintptr(start(span)) + large + layout.SealBytes + layout.PageBytes - 1) &^ (layout.PageBytes - 1)
			s.refuses(s.heap.FreePointer(unsafe.Add(nil, guard)), allocator.InvalidFree, nil, "guard page")
			s.checkIsHealthy()
		},
		"sized_free_mismatch_small": func(s *stage) {
			a := s.alloc(24)
			s.refuses(s.heap.Free(a[:8:8]), allocator.SizeMismatch, start(a), "allocated with 24 bytes, freed as 8")
			s.refuses(s.heap.Free(unsafe.Slice(unsafe.SliceData(a), 32)), allocator.SizeMismatch, start(a), "allocated with 24 bytes, freed as 32")
			s.free(a)
			s.checkIsHealthy()
		},
		"sized_free_mismatch_large": func(s *stage) {
			a := s.alloc(9000)
			s.refuses(s.heap.Free(a[:8990:8990]), allocator.SizeMismatch, start(a), "allocated with 9000 bytes, freed as 8990")
			b := s.alloc(large)
			s.refuses(s.heap.Free(b[:9:9]), allocator.SizeMismatch, start(b), "")
			s.free(a)
			s.free(b)
			s.checkIsHealthy()
		},
		"free_resliced": func(s *stage) {
			s.free(s.alloc(24)[:0])
			s.free(s.alloc(24)[:8])
			s.checkIsHealthy()
		},
		"append_escapes": func(s *stage) {
			a := s.alloc(24)
			b := append(a, 1)
			s.refuses(s.heap.Free(b), allocator.InvalidFree, nil, "Go's own heap.*append")
			s.free(a) // it is live still
			s.checkIsHealthy()
		},
		"sized_free_right": func(s *stage) {
			for _, n := range []int{1, 8, 24, 1000, 9000, large, 3 << 20} {
				s.free(s.alloc(n))
				for _, align := range []int{8, 64, 4096} {
					b, err := s.heap.AllocAligned(n, align)
					must(err)
					s.free(b)
				}
			}
			s.checkIsHealthy()
		},
		"free_zero_slice": func(s *stage) {
			s.free(nil)
			s.free(s.alloc(0))
			must(s.heap.FreePointer(nil))
			s.checkIsHealthy()
		},
		"three_stacks": func(s *stage) {
			a := allocates(s)
			s.checkIsHealthy()
			freesTheOther(s, a)
			v := s.refuses(freesOnceMore(s, a), allocator.DoubleFree, start(a), "(?s)allocated by.*allocates .*freed by.*freesTheOther .*freed again by.*freesOnceMore ")
			if v.Allocated.Goroutine == 0 || v.Freed.Sequence <= v.Allocated.Sequence {
				panic("goroutine or order is missing: " + v.Error())
			}
		},
	})
}

func doubleFree(s *stage, n int) {
	a := s.alloc(n)
	s.free(a)
	s.refuses(s.heap.Free(a), allocator.DoubleFree, start(a), "free already")
	s.checkIsHealthy()
}

func doubleFreeDelayed(s *stage, n int) {
	a, b := s.alloc(n), s.alloc(n)
	s.free(a)
	s.free(b)
	s.refuses(s.heap.Free(a), allocator.DoubleFree, start(a), "free already")
	s.checkIsHealthy()
}

func interior(s *stage, n, offset int) {
	a := s.alloc(n)
	s.refuses(s.heap.FreePointer(unsafe.Add(start(a), offset)), allocator.InvalidFree, start(a), "\\b"+itoa(offset)+" bytes? inside")
	s.free(a)
	s.checkIsHealthy()
}

func foreignMapping(s *stage, protection int) {
	memory, err := unix.Mmap(-1, 0, 1<<20, protection, unix.MAP_PRIVATE|unix.MAP_ANON)
	must(err)
	s.refuses(s.heap.FreePointer(unsafe.Pointer(unsafe.SliceData(memory))), allocator.InvalidFree, nil, "does not belong to this heap")
	s.refuses(s.heap.FreePointer(unsafe.Pointer(&memory[layout.PageBytes:][0])), allocator.InvalidFree, nil, "does not belong to this heap")
	s.checkIsHealthy()
}

// twoGoroutines free the same block at the same time, over and over. Under audit one of them is told each time. In a sealed
// heap both may get through; then whoever is given the block, or looks for it, is told, and nothing else suffers.
func twoGoroutines(s *stage, h *allocator.Heap, rounds int, strict bool) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	for round := range rounds {
		a, err := h.Alloc(64)
		must(err)
		a[0] = byte(round)
		var refused [2]error
		var ready, done sync.WaitGroup
		ready.Add(2)
		for i := range refused {
			done.Go(func() {
				ready.Done()
				ready.Wait()
				refused[i] = h.Free(a)
			})
		}
		done.Wait()
		if told := (refused[0] != nil) != (refused[1] != nil); strict && !told {
			panic("not exactly one of two frees was refused")
		}
		if refused[0] != nil && refused[1] != nil {
			panic("a block that was freed twice was freed by nobody")
		}
	}
	// The heap still hands out every block once.
	owners := map[unsafe.Pointer]bool{}
	for range 5000 {
		b, err := h.Alloc(64)
		must(err)
		if owners[start(b)] {
			panic("a block has two owners")
		}
		owners[start(b)] = true
	}
	for p := range owners {
		must(h.FreePointer(p))
	}
}

//go:noinline
func allocates(s *stage) []byte {
	b := s.alloc(64)
	return b
}

//go:noinline
func freesTheOther(s *stage, b []byte) {
	s.free(b)
}

//go:noinline
func freesOnceMore(s *stage, b []byte) error {
	err := s.heap.Free(b)
	return err
}
