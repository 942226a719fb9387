package lostrealloc

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/glassheap/glassheap/allocator"
)

func lost(h *allocator.Heap, b []byte, p unsafe.Pointer) error {
	h.Realloc(b, 100)                  // want `the result of h\.Realloc\(b, 100\) is lost: the block may have moved; keep what Realloc returns`
	_, err := h.ReallocPointer(p, 100) // want `the result of h\.ReallocPointer\(p, 100\) is lost`
	_, _ = (h.Realloc(b, len(b)/2))    // want `is lost`
	defer h.Realloc(b, 10)             // want `is lost`
	go h.Realloc(b, 10)                // want `is lost`
	h.Realloc(b, 100)                  //glassheap:ignore
	return err
}

// Nothing below is a mistake.

func kept(t *testing.T, h *allocator.Heap, b []byte) []byte {
	b, err := h.Realloc(b, 100)
	check(err)
	_, err = h.Realloc(b, 0)
	check(err)
	h.Realloc(b, 0)
	_, err = h.Realloc(b, -1)
	if err == nil {
		t.Error("it was granted")
	}
	_, err = h.Realloc(b, 1<<50)
	if err == nil {
		t.Error("it was granted")
	}
	b, _ = h.Realloc(b, 100)
	return b
}

func tooMuch(h *allocator.Heap, b []byte, aligned bool) bool {
	var err error
	if aligned {
		_, err = h.AllocAligned(1<<50, 64)
	} else {
		_, err = h.Realloc(b, 1<<50)
	}
	wrong := (*allocator.SizeError)(nil)
	return errors.As(err, &wrong)
}

func passedOn(h *allocator.Heap, b []byte) ([]byte, error) { return h.Realloc(b, 100) }

func check(error) {}
