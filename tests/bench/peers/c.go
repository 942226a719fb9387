//go:build cgo

package peers

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

typedef void *(*allocate_function)(size_t);
typedef void *(*resize_function)(void *, size_t);
typedef void (*release_function)(void *);

static inline void *allocate(allocate_function f, size_t size) { return f(size); }
static inline void *resize(resize_function f, void *block, size_t size) { return f(block, size); }
static inline void release(release_function f, void *block) { f(block); }

static void *zeroed(size_t size) { return calloc(size, 1); }
static allocate_function zeroed_function(void) { return zeroed; }
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// cAllocator is a C allocator by cgo, one call into C for each operation. It is called through a pointer, as code that is
// linked with a shared library does by its linkage table.
type cAllocator struct {
	malloc  C.allocate_function
	realloc C.resize_function
	free    C.release_function
}

var errNoMemory = errors.New("the C allocator has no memory left")

// library finds an allocator in a shared library, by the prefix of its names. The library is loaded on its own: linked into the
// program, tcmalloc and mimalloc would take the place of everybody's malloc, and with it of the other peers'.
func library(prefix string, files ...string) func() (cAllocator, error) {
	return func() (c cAllocator, err error) {
		var handle unsafe.Pointer
		for _, file := range files {
			name := C.CString(file)
			handle = C.dlopen(name, C.RTLD_NOW|C.RTLD_LOCAL)
			C.free(unsafe.Pointer(name))
			if handle != nil {
				break
			}
			err = errors.New(C.GoString(C.dlerror()))
		}
		if handle == nil {
			return c, err
		}
		for name, address := range map[string]*unsafe.Pointer{
			"malloc":  (*unsafe.Pointer)(unsafe.Pointer(&c.malloc)),
			"realloc": (*unsafe.Pointer)(unsafe.Pointer(&c.realloc)),
			"free":    (*unsafe.Pointer)(unsafe.Pointer(&c.free)),
		} {
			symbol := C.CString(prefix + name)
			*address = C.dlsym(handle, symbol)
			C.free(unsafe.Pointer(symbol))
			if *address == nil {
				return c, fmt.Errorf("%s has no %s%s", files[0], prefix, name)
			}
		}
		return c, nil
	}
}

// The allocators. That of the C library is asked for by name, whatever else the program is linked with.
var (
	findMalloc   = library("", "libc.so.6", "libc.so")
	findMimalloc = library("mi_", "libmimalloc.so.2", "libmimalloc.so")
	findTcmalloc = library("tc_", "libtcmalloc_minimal.so.4", "libtcmalloc_minimal.so")
)

// findCalloc is C's calloc as pebble's internal/manual calls it, without pebble's counters.
func findCalloc() (cAllocator, error) {
	c, err := findMalloc()
	c.malloc = C.zeroed_function()
	return c, err
}

func (c cAllocator) pair(n, size int) {
	for range n {
		p := C.allocate(c.malloc, C.size_t(size))
		if p == nil {
			panic(errNoMemory)
		}
		C.release(c.free, p)
	}
}

func (c cAllocator) fill(blocks []unsafe.Pointer, size int) {
	for i := range blocks {
		p := C.allocate(c.malloc, C.size_t(size))
		if p == nil {
			panic(errNoMemory)
		}
		blocks[i] = p
	}
}

func (c cAllocator) drain(blocks []unsafe.Pointer, order []int32) {
	for _, i := range order {
		C.release(c.free, blocks[i])
	}
}

func (c cAllocator) replace(blocks []unsafe.Pointer, steps []step) {
	for _, s := range steps {
		C.release(c.free, blocks[s.place])
		p := C.allocate(c.malloc, C.size_t(s.size))
		if p == nil {
			panic(errNoMemory)
		}
		blocks[s.place] = p
	}
}

func (c cAllocator) replay(blocks []unsafe.Pointer, tape []event) {
	for _, e := range tape {
		switch e.op {
		case allocate:
			p := C.allocate(c.malloc, C.size_t(e.size))
			if p == nil {
				panic(errNoMemory)
			}
			blocks[e.place] = p
		case resize:
			p := C.resize(c.realloc, blocks[e.place], C.size_t(e.size))
			if p == nil {
				panic(errNoMemory)
			}
			blocks[e.place] = p
		case release:
			C.release(c.free, blocks[e.place])
		}
	}
}
