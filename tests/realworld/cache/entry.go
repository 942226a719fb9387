package main

import (
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

// entry is a key and its value in one block: the header, the value, the key, and a zero that ends the key, so that a dump of
// the memory can be read with the tools for texts.
type entry struct{ block []byte }

// header is how the block begins.
type header struct {
	reads      uint32 // how often the entry was sent
	flags      uint32 // the client's, sent back with the value
	valueBytes uint32
	keyBytes   uint32
}

const headerBytes = int(unsafe.Sizeof(header{}))

// newEntry makes an entry for a value of n bytes, which is yet to be written.
func newEntry(heap *allocator.Heap, key string, flags uint32, n int) (entry, error) {
	block, err := heap.Alloc(headerBytes + n + len(key) + 1)
	if err != nil {
		return entry{}, err
	}
	e := entry{block}
	*e.header() = header{flags: flags, valueBytes: uint32(n), keyBytes: uint32(len(key))}
	e.setKey(key)
	return e, nil
}

func (e entry) header() *header { return (*header)(unsafe.Pointer(unsafe.SliceData(e.block))) }

// value is where the value lies.
func (e entry) value() []byte { return e.bytes(headerBytes, int(e.header().valueBytes)) }

// key is where the key lies.
func (e entry) key() []byte {
	return e.bytes(headerBytes+int(e.header().valueBytes), int(e.header().keyBytes))
}

// setKey writes the key and its zero.
func (e entry) setKey(key string) {
	place := e.bytes(headerBytes+int(e.header().valueBytes), len(key)+1)
	copy(place, key)
	place[len(key)] = 0
}

// bytes are some of the block's. As in any code that lays out memory by hand, nothing verifies that they are.
func (e entry) bytes(offset, n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(e.block)), offset)), n)
}
