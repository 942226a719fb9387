//go:build cgo && jemalloc

package peers

/*
#cgo LDFLAGS: -L/usr/local/lib -ljemalloc -lm -lstdc++ -pthread -ldl
#include <stddef.h>

void *je_malloc(size_t);
void *je_realloc(void *, size_t);
void je_free(void *);

static void *(*malloc_function(void))(size_t) { return je_malloc; }
static void *(*realloc_function(void))(void *, size_t) { return je_realloc; }
static void (*free_function(void))(void *) { return je_free; }
*/
import "C"

import "unsafe"

// jemalloc is linked in, with the prefix je_ that ristretto wants as well: its thread-local data is too large for a library that
// is loaded later.
var openJemalloc = byC(func() (c cAllocator, err error) {
	*(*unsafe.Pointer)(unsafe.Pointer(&c.malloc)) = unsafe.Pointer(C.malloc_function())
	*(*unsafe.Pointer)(unsafe.Pointer(&c.realloc)) = unsafe.Pointer(C.realloc_function())
	*(*unsafe.Pointer)(unsafe.Pointer(&c.free)) = unsafe.Pointer(C.free_function())
	return c, nil
})
