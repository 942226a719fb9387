package glassheaparrow

import (
	"bytes"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"
)

// work allocates, reallocates and frees, and reports whether every byte stayed its own.
func work(mem memory.Allocator, own byte) bool {
	var blocks [][]byte
	whole := true
	for i := range 1500 {
		b := mem.Allocate(1 + (i*37+int(own))%3000)
		for j := range b {
			b[j] = own
		}
		was := len(b)
		if i%3 == 0 {
			b = mem.Reallocate(1+(i*91)%6000, b)
			was = min(was, len(b))
		}
		whole = whole && bytes.Count(b[:was], []byte{own}) == was
		if blocks = append(blocks, b[:was]); len(blocks) > 20 {
			whole = whole && bytes.Count(blocks[0], []byte{own}) == len(blocks[0])
			mem.Free(blocks[0])
			blocks = blocks[1:]
		}
	}
	for _, b := range blocks {
		mem.Free(b)
	}
	return whole
}

// crowd runs work on several goroutines that share an allocator.
func crowd(t *testing.T, mem memory.Allocator) {
	t.Helper()
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			if !work(mem, byte(g+1)) {
				t.Error("somebody else wrote into a block")
			}
		})
	}
	group.Wait()
}

func TestManyGoroutines(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) { crowd(t, a) })
}

func TestManyGoroutinesChecked(t *testing.T) {
	c := NewChecked()
	crowd(t, c)
	c.AssertSize(t, 0)
}

// TestArraysAreHandedOver: built by one goroutine, read and released by another.
func TestArraysAreHandedOver(t *testing.T) {
	eachMode(t, func(t *testing.T, a *Allocator) {
		arrays := make(chan *array.Int64)
		go func() {
			defer close(arrays)
			b := array.NewInt64Builder(a)
			defer b.Release()
			for n := range 200 {
				for i := range n * 10 {
					b.Append(int64(n + i))
				}
				arrays <- b.NewInt64Array()
			}
		}()
		n := 0
		for got := range arrays {
			require.Equal(t, n*10, got.Len())
			for i := range got.Len() {
				require.EqualValues(t, n+i, got.Value(i))
			}
			got.Release()
			n++
		}
	})
}
