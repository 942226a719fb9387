//go:build cgo

package memory

import "github.com/apache/arrow-go/v18/arrow/memory/mallocator"

func init() { choices["c"] = func() Allocator { return mallocator.NewMallocator() } }
