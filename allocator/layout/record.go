package layout

import "unsafe"

// Record is the audit record of one block or span: who allocated it last, who freed it last. Which half is true, the
// block's seal tells: the alloc half in StateRecorded, both halves in StateQuarantined and StatePoisoned. Goroutines are
// named by the ids that a traceback prints; sequences count the heap's audited operations, 0: none yet.
type Record struct {
	AllocSequence  uint64   `layout:"statistic"`
	FreeSequence   uint64   `layout:"statistic"`
	AllocGoroutine uint64   `layout:"statistic"`
	FreeGoroutine  uint64   `layout:"statistic"`
	AllocStack     StackRef // 0: not known
	FreeStack      StackRef
}

// RecordBytes is the size of a Record.
const RecordBytes = uint64(unsafe.Sizeof(Record{}))

// Records opens the records of a slab: as many follow it as the slab has blocks. It stays with the slab's descriptor, also
// while that is retired.
type Records struct {
	Slab  Ref[Slab] // whose they are
	Bin   uint32
	Count uint32
}

// RecordsBytes is the size of a Records without what follows.
const RecordsBytes = uint64(unsafe.Sizeof(Records{}))

// RecordArrayBytes is the size of a Records with the records of a slab with this capacity.
func RecordArrayBytes(capacity uint32) uint64 {
	return (RecordsBytes + uint64(capacity)*RecordBytes + DescriptorGrain - 1) &^ (DescriptorGrain - 1)
}
