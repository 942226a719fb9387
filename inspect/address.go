package inspect

import "github.com/glassheap/glassheap/allocator/layout"

// Address is an address in the process that owns the heap. Text and JSON show it in hexadecimal.
type Address uint64

// String is the address as every output shows it.
func (a Address) String() string { return layout.Hex(uint64(a)) }

// MarshalText makes JSON show what String does: numbers of 64 bits do not survive every JSON reader.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }
