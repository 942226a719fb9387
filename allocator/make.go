package allocator

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// Make returns n zeroed elements of T off-heap. A T that contains Go pointers is refused, because the collector would not
// see them: the error names the path to the field. Give the slice back with FreeSlice.
func Make[T any](h *Heap, n int) ([]T, error) {
	if err := refusePointers(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	var zero T
	size := int(unsafe.Sizeof(zero))
	bytes, err := product(n, size)
	if err != nil {
		return nil, err
	}
	if bytes == 0 {
		return make([]T, n), nil
	}
	b, err := h.AllocAligned(bytes, int(unsafe.Alignof(zero)))
	if err != nil {
		return nil, err
	}
	clear(b)
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), n), nil
}

// FreeSlice gives back what Make returned.
func FreeSlice[T any](h *Heap, s []T) error {
	var zero T
	if cap(s) == 0 || unsafe.Sizeof(zero) == 0 {
		return nil
	}
	return h.free(unsafe.Pointer(unsafe.SliceData(s)), cap(s)*int(unsafe.Sizeof(zero)))
}

// New1 returns one zeroed T off-heap; a T that contains Go pointers is refused as by Make. Give it back with Free1.
func New1[T any](h *Heap) (*T, error) {
	s, err := Make[T](h, 1)
	if err != nil {
		return nil, err
	}
	return unsafe.SliceData(s), nil
}

// Free1 gives back what New1 returned; nil does nothing. The block is verified as by Free, its size too.
func Free1[T any](h *Heap, p *T) error {
	if p == nil {
		return nil
	}
	return FreeSlice(h, unsafe.Slice(p, 1))
}

// refusals are what refusePointers said of each type: to look through a large struct takes a microsecond.
var refusals sync.Map // reflect.Type → error, or true

// refusePointers is an error for a type that contains Go pointers.
func refusePointers(t reflect.Type) error {
	if said, ok := refusals.Load(t); ok {
		err, _ := said.(error)
		return err
	}
	path := goPointer(t, t.String())
	if path == "" {
		refusals.Store(t, true)
		return nil
	}
	err := fmt.Errorf("glassheap: a %s can't live off-heap: %s is a Go pointer, which the collector would not see", t, path)
	refusals.Store(t, err)
	return err
}

// goPointer is the path to the first Go pointer in a type; "": there is none.
func goPointer(t reflect.Type, path string) string {
	switch t.Kind() {
	case reflect.Pointer, reflect.UnsafePointer, reflect.Map, reflect.Chan, reflect.Func, reflect.Interface, reflect.Slice, reflect.String:
		return fmt.Sprintf("%s (%s)", path, t)
	case reflect.Array:
		if t.Len() > 0 {
			return goPointer(t.Elem(), path+"[0]")
		}
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if found := goPointer(f.Type, path+"."+f.Name); found != "" {
				return found
			}
		}
	}
	return ""
}
