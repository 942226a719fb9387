package cases

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
)

func init() {
	register(map[string]scenario{
		"meta_quarantine_head": func(s *stage) {
			for range 10 {
				s.free(s.alloc(64))
			}
			j := journalOf(s)
			saved := *j
			for _, to := range []uint64{saved.QuarantineIn + layout.QuarantineBlocks + 1, saved.QuarantineOut - 1, 1 << 60} {
				j.QuarantineIn = to
				s.checkFinds(inspect.CodeMetadata, nil, "^Journal \\d+.QuarantineIn holds .*, expected at most ")
				j.QuarantineIn = saved.QuarantineIn
				s.checkIsHealthy()
			}
		},
		"meta_stack_id_out_of_range": func(s *stage) {
			a := s.alloc(64)
			r := recordOf(s)
			saved := r.AllocStack
			for _, to := range []layout.StackRef{saved ^ 1<<13, 1<<32 - 1, 1} {
				r.AllocStack = to
				s.checkFinds(inspect.CodeMetadata, start(a), "^Record of block 0 of slab 0.AllocStack holds .*, expected 0 or a stack of the stack table")
				r.AllocStack = saved
				s.checkIsHealthy()
			}
			s.free(a)
		},
	})
}

func headerOf(s *stage) *layout.Header {
	base, _ := s.heap.Range()
	return (*layout.Header)(unsafe.Add(nil, base))
}

// journalOf is the journal of the P that has freed something.
func journalOf(s *stage) *layout.Journal {
	head := headerOf(s)
	for i := range head.JournalsReady {
		if j := (*layout.Journal)(unsafe.Add(nil, uint64(head.Identity.Journals)+i*layout.JournalBytes)); j.QuarantineIn > 0 {
			return j
		}
	}
	panic("nothing is held back")
}

// recordOf is the record of the first block of the first slab.
func recordOf(s *stage) *layout.Record {
	return (*layout.Record)(unsafe.Add(nil, headerOf(s).Identity.Records+layout.RecordsBytes))
}
