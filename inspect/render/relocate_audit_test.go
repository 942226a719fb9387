package render_test

import (
	"encoding/binary"
	"unsafe"

	"github.com/glassheap/glassheap/allocator/layout"
)

// What audit mode records depends on where the compiler has put the code, and on how many goroutines there were before. In
// every image it is the same: return addresses from programCode on, goroutines from firstGoroutine on.
const (
	programCode    = 0x4d0000
	firstGoroutine = 7
)

// relocateAudit gives the stacks, records, events and goroutines of a heap those values.
func relocateAudit(heap []byte, head *layout.Header) {
	id := &head.Identity
	if head.JournalsReady == 0 {
		return
	}
	names := restack(heap, uint64(id.Stacks)-id.Base)
	goroutines := map[uint64]uint64{0: 0}
	rename := func(g *uint64) {
		if _, ok := goroutines[*g]; !ok {
			goroutines[*g] = firstGoroutine + uint64(len(goroutines)) - 1
		}
		*g = goroutines[*g]
	}
	record := func(r *layout.Record) {
		rename(&r.AllocGoroutine)
		rename(&r.FreeGoroutine)
		r.AllocStack, r.FreeStack = names[r.AllocStack], names[r.FreeStack]
	}
	for i := range head.JournalsReady {
		j := at[layout.Journal](heap, uint64(id.Journals)-id.Base+i*layout.JournalBytes)
		for k := range min(j.Events, layout.LogEvents) {
			rename(&j.Log[k].Goroutine)
			j.Log[k].Stack = names[j.Log[k].Stack]
		}
	}
	for start := id.Records - id.Base; start < head.RecordsTop-id.Base; {
		count := at[layout.Records](heap, start).Count
		for i := range uint64(count) {
			record(at[layout.Record](heap, start+layout.RecordsBytes+i*layout.RecordBytes))
		}
		start += layout.RecordArrayBytes(count)
	}
	for page := range head.ArenasUsed * layout.PagesPerArena {
		e := *at[layout.PageEntry](heap, uint64(id.PageMap)-id.Base+page*layout.PageEntryBytes)
		if e.Kind() == layout.PageSpan && e.Before() == 0 {
			record(&at[layout.Span](heap, id.Descriptors-id.Base+e.Descriptor()).Record)
		}
	}
}

// restack writes other return addresses into the stack table, and tells the new names of the stacks by their old ones.
func restack(heap []byte, table uint64) map[layout.StackRef]layout.StackRef {
	t := at[layout.StackTable](heap, table)
	t.Buckets = [layout.StackBuckets]layout.StackRef{}
	names := map[layout.StackRef]layout.StackRef{0: 0}
	for offset, n := uint64(0), uint64(0); offset < t.Used; n++ {
		s := at[layout.Stack](heap, table+layout.StackTableBytes+offset)
		old := layout.RefStack(offset, s.Hash)
		var addresses []uint64
		for i := range uint64(s.Depth) {
			addresses = append(addresses, programCode+n*0x1000+i*0x20+5)
			binary.LittleEndian.PutUint64(heap[table+layout.StackTableBytes+offset+layout.StackHeadBytes+8*i:], addresses[i])
		}
		s.Hash = layout.HashStack(addresses)
		bucket := &t.Buckets[s.Hash%layout.StackBuckets]
		s.Next = *bucket
		*bucket = layout.RefStack(offset, s.Hash)
		names[old] = *bucket
		offset += layout.StackBytes(s.Depth)
	}
	return names
}

// at is the T at an offset of a heap.
func at[T any](heap []byte, offset uint64) *T { return (*T)(unsafe.Pointer(&heap[offset])) }
