package inspect_test

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
)

// FuzzAuditDecoder is FuzzDecoder for a heap that has records, stacks, journals and guarded blocks.
func FuzzAuditDecoder(f *testing.F) {
	h := newHeap(f, allocator.Options{Name: "fuzz", Mode: allocator.ModeAudit, GuardRate: 8, ReserveBytes: 16 << 20, QuarantineBytes: 1 << 20})
	live := busy(f, h, 11, 2000)
	for _, b := range live[len(live)/2:] {
		require.NoError(f, h.Free(b))
	}
	memory := image(f, h)
	var head layout.Header
	copy(layout.Bytes(&head), memory)
	parts := append(parts(&head), auditParts(&head)...)
	for part := range parts {
		for _, kind := range []byte{0, 1, 2, 3} {
			patch := make([]byte, patchBytes)
			binary.LittleEndian.PutUint32(patch, uint32(part*1000))
			patch[4], patch[5] = byte(part), kind
			binary.LittleEndian.PutUint64(patch[6:], 0xffff_ffff_ffff_fff0)
			f.Add(patch, uint64(part*64))
		}
	}
	var lock sync.Mutex // one copy of the memory
	f.Fuzz(func(t *testing.T, patches []byte, address uint64) {
		lock.Lock()
		defer lock.Unlock()
		defer patchMemory(memory, parts, patches)()
		started := time.Now()
		askEverything(head.Identity.Base+address%uint64(len(memory)), memory)
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("the answers took %s", took)
		}
	})
}

// auditParts are the parts that only an audited heap has.
func auditParts(head *layout.Header) [][2]uint64 {
	id := &head.Identity
	at := func(start, bytes uint64) [2]uint64 { return [2]uint64{start - id.Base, start - id.Base + bytes} }
	return [][2]uint64{
		at(id.Records, head.RecordsTop-id.Records), at(uint64(id.Stacks), layout.StackTableBytes+4096), at(uint64(id.Stacks)+layout.StackTableBytes, 1024),
		at(uint64(id.Journals), head.JournalsReady*layout.JournalBytes), at(uint64(id.Guards), uint64(unsafe.Sizeof(layout.GuardPool{}))),
	}
}
