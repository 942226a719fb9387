package inspect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// stuffed is a heap whose header tells another top of one part, and that part is full to its end.
type stuffed struct {
	target.Target
	header   layout.Header
	top, end int64 // where the part's data really end, and its room
	read     int64 // how many bytes of what lies between were read
}

// ReadAt makes a blind door of the heap's own: it does not tell where there are holes.
func (s *stuffed) ReadAt(p []byte, offset int64) (int, error) {
	n, err := s.Target.ReadAt(p, offset)
	if offset < int64(len(layout.Bytes(&s.header))) {
		copy(p, layout.Bytes(&s.header)[offset:])
	}
	first, end := max(offset, s.top), min(offset+int64(len(p)), s.end)
	for at := first; at < end; at++ {
		p[at-offset] = 0xa5
	}
	s.read += max(end-first, 0)
	return n, err
}

// TestTopsThatLie: of descriptors and records no more is read than the arenas can account for, whatever the header claims.
func TestTopsThatLie(t *testing.T) {
	h := newHeap(t, allocator.Options{Name: "tops", Mode: allocator.ModeAudit, ReserveBytes: 4 << 30})
	for range 1000 {
		_, err := h.Alloc(64)
		require.NoError(t, err)
	}
	self, err := target.Self(target.Options{Heap: h.Name()})
	require.NoError(t, err)
	defer self.Close()
	var head layout.Header
	_, err = self.ReadAt(layout.Bytes(&head), 0)
	require.NoError(t, err)
	id := &head.Identity
	for _, part := range []struct {
		name string
		top  func(*layout.Header) *uint64
		end  uint64
		most uint64
	}{
		{"DescriptorsTop", func(h *layout.Header) *uint64 { return &h.DescriptorsTop }, id.DescriptorsEnd, layout.MostDescriptorBytes(1)},
		{"RecordsTop", func(h *layout.Header) *uint64 { return &h.RecordsTop }, id.RecordsEnd, layout.MostRecordBytes(1)},
	} {
		t.Run(part.name, func(t *testing.T) {
			from := &stuffed{Target: self, header: head, top: int64(*part.top(&head) - id.Base), end: int64(part.end - id.Base)}
			*part.top(&from.header) = part.end
			report, err := inspect.Check(t.Context(), from, inspect.CheckOptions{})
			require.NoError(t, err)
			told := false
			for _, f := range report.Findings {
				told = told || f.Field == part.name
			}
			require.True(t, told, "%v", report.Findings)
			require.LessOrEqual(t, from.read, 3*int64(part.most+2<<20), "it is read a few times at most")
		})
	}
}
