package cases

import (
	"runtime"
	"sync"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

func init() {
	register(map[string]scenario{
		"uaf_write_small": func(s *stage) {
			a := s.alloc(128)
			freesTheOther(s, a)
			write(a, 65, 'a')
			s.checkFinds(inspect.CodeWriteAfterFree, start(a), `1 byte written at \+65 of a block after it was freed`)
			churn(s, 128)
			v := s.tells(allocator.WriteAfterFree, start(a), `written at \+65 of`)
			if !calls(v.Freed, "freesTheOther") {
				panic("who freed is not named: " + v.Error())
			}
			s.checkIsHealthy()
		},
		"uaf_write_small_reuse": func(s *stage) {
			a := s.alloc(128)
			s.free(a)
			b := s.alloc(128)
			if start(a) == start(b) {
				panic("the block came back at once")
			}
			write(a, 65, 'a')
			if read(b, 65) == 'a' {
				panic("somebody else's block was written to")
			}
			churn(s, 128)
			s.tells(allocator.WriteAfterFree, start(a), `written at \+65 of`)
			s.free(b)
			s.checkIsHealthy()
		},
		"uaf_write_first_word": func(s *stage) { writeAfterFree(s, 0, 0x78) },
		"uaf_write_50th_byte":  func(s *stage) { writeAfterFree(s, 50, 0x9a) },
		"uaf_write_redzone": func(s *stage) {
			a := s.alloc(64)
			s.free(a)
			write(a, 64, 0xab)
			s.checkFinds(inspect.CodeWriteAfterFree, start(a), "the seal of a free block is written over")
			_ = s.alloc(64)
			s.tells(allocator.WriteAfterFree, start(a), "")
		},
		"uaf_write_large": func(s *stage) {
			a := s.alloc(large)
			s.free(a)
			s.faultsWith(allocator.UseAfterFree, a, func() { write(a, large/2, 1) })
			s.checkIsHealthy()
		},
		"uaf_write_large_reuse": func(s *stage) {
			a := s.alloc(large)
			s.free(a)
			b := s.alloc(large)
			s.faultsWith(allocator.UseAfterFree, a, func() { write(a, large/2, 1) })
			s.free(b)
			s.checkIsHealthy()
		},
		"uaf_read_small": func(s *stage) {
			a := s.alloc(64)
			for i := range a {
				a[i] = 'a'
			}
			s.free(a)
			if !isFilled(a, layout.PoisonByte) {
				panic("freed memory still tells what it held")
			}
			s.note("poison")
			s.checkIsHealthy()
		},
		"uaf_read_large": func(s *stage) {
			a := s.alloc(large)
			a[0] = 'a'
			s.free(a)
			s.faultsWith(allocator.UseAfterFree, a, func() { aByte = a[0] })
			s.checkIsHealthy()
		},
		"uninitialized_read": func(s *stage) {
			for range 3 {
				a := s.alloc(64)
				if !isFilled(a, layout.FreshByte) {
					panic("new memory is not recognisable")
				}
				for i := range a {
					a[i] = 'a'
				}
				s.free(a)
			}
			s.note("pattern")
			s.checkIsHealthy()
		},
		"no_reuse": func(s *stage) {
			a := s.alloc(64)
			s.free(a)
			for range 512 {
				b := s.alloc(64)
				if start(b) == start(a) {
					panic("the block came back too soon")
				}
				s.free(b)
			}
			s.checkIsHealthy()
		},
		"realloc_freed": func(s *stage) {
			a := s.alloc(40)
			s.free(a)
			_, err := s.heap.Realloc(a, 64)
			s.refuses(err, allocator.UseAfterFree, start(a), "")
			s.checkIsHealthy()
		},
	})
}

// churn makes 100,000 pairs of Alloc and Free on each P, so that whatever was held back comes out.
func churn(s *stage, n int) {
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for range 100_000 {
				s.free(s.alloc(n))
			}
		})
	}
	all.Wait()
}

func writeAfterFree(s *stage, offset int, value byte) {
	a := s.alloc(64)
	s.free(a)
	write(a, offset, value)
	s.checkFinds(inspect.CodeWriteAfterFree, start(a), `1 byte written at \+`+itoa(offset))
	write(a, offset, layout.PoisonByte) // or the end of the process would tell of it too
}
