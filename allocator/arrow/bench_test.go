package glassheaparrow

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// contenders are what is compared.
func contenders(b *testing.B) []contender {
	heap := func(m allocator.Mode) memory.Allocator {
		h, err := allocator.New(allocator.Options{Mode: m})
		require.NoError(b, err)
		b.Cleanup(func() { _ = h.Close() })
		return New(h)
	}
	return []contender{
		{"arrow-go", memory.NewGoAllocator()},
		{"plain", heap(allocator.ModePlain)},
		{"sealed", heap(allocator.ModeSealed)},
		{"audit", heap(allocator.ModeAudit)},
		{"arrow-checked", memory.NewCheckedAllocator(memory.NewGoAllocator())},
		{"checked", NewChecked()},
	}
}

type contender struct {
	name string
	mem  memory.Allocator
}

// BenchmarkPair allocates and frees a buffer.
func BenchmarkPair(b *testing.B) {
	for _, n := range []int{64, 1024, 16 << 10, 128 << 10, 1 << 20} {
		for _, c := range contenders(b) {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				for b.Loop() {
					c.mem.Free(c.mem.Allocate(n))
				}
			})
		}
	}
}

// BenchmarkBuild builds arrays of so many numbers and of as many short strings by appending, reads them, and releases them.
func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		for _, c := range contenders(b) {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				for b.Loop() {
					build(c.mem, n)
				}
			})
		}
	}
}

func build(mem memory.Allocator, n int) (sum int64) {
	numbers, words := array.NewInt64Builder(mem), array.NewStringBuilder(mem)
	for i := range n {
		numbers.Append(int64(i))
		words.Append("arrow")
	}
	built, text := numbers.NewInt64Array(), words.NewStringArray()
	numbers.Release()
	words.Release()
	for i := range n {
		sum += built.Value(i) + int64(len(text.Value(i)))
	}
	built.Release()
	text.Release()
	return sum
}
