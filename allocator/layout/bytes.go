package layout

import (
	"reflect"
	"unsafe"
)

// Bytes is the memory of a struct of this package, for reading and writing it whole.
func Bytes[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}

// padding lists the ranges of a struct type that belong to blank fields and so hold nothing.
func padding(t reflect.Type) (ranges [][2]uintptr) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Name == "_" {
			ranges = append(ranges, [2]uintptr{f.Offset, f.Offset + f.Type.Size()})
		}
	}
	return ranges
}

var (
	binPadding    = padding(reflect.TypeFor[Bin]())
	cachePadding  = padding(reflect.TypeFor[Cache]())
	arenaPadding  = padding(reflect.TypeFor[Arena]())
	slabPadding   = padding(reflect.TypeFor[Slab]())
	guardPadding  = padding(reflect.TypeFor[GuardPool]())
	journalUnused = padding(reflect.TypeFor[Journal]())
	spanPadding   = padding(reflect.TypeFor[Span]())
)
