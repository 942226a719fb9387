package main

import (
	"hash/fnv"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// filter tells of most keys that a segment does not have that it does not: a Bloom filter, off-heap.
type filter struct {
	bits   []byte
	places uint64 // how many bits there are
}

const (
	bitsPerKey = 10 // one of a hundred keys that are not there is looked for all the same
	bitsSet    = 7  // for each key
)

// filterFor makes the filter of keys that have these hashes.
func filterFor(heap *allocator.Heap, hashes []uint64) (filter, error) {
	places := filterPlaces(len(hashes))
	bits, err := heap.AllocZeroed(int((places + 7) / 8))
	if err != nil {
		return filter{}, err
	}
	f := filter{bits, places}
	for _, h := range hashes {
		for i := range uint64(bitsSet) {
			at := f.place(h, i)
			*f.byte(at) |= 1 << (at % 8)
		}
	}
	return f, nil
}

func filterPlaces(keys int) uint64 { return uint64(keys) * bitsPerKey }

// hashOf is the same in every process: filters are kept in files.
func hashOf(key []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(key)
	return h.Sum64()
}

func (f filter) place(hash, i uint64) uint64 { return (hash + i*(hash>>32|1)) % f.places }

// mayHave reports whether the segment may have a key.
func (f filter) mayHave(key []byte) bool {
	if f.places == 0 {
		return false
	}
	h := hashOf(key)
	for i := range uint64(bitsSet) {
		if at := f.place(h, i); *f.byte(at)&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}

// byte is the one that a bit is in. As in any code that lays out memory by hand, nothing verifies that it is the filter's.
func (f filter) byte(at uint64) *byte {
	return (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(f.bits)), at/8))
}
