package allocator

import (
	"math/rand"
	"testing"

	"github.com/glassheap/glassheap/allocator/layout"
)

func benchHeap(b *testing.B, m Mode) *Heap {
	h, err := New(Options{Mode: m})
	if err != nil {
		b.Fatal(err)
	}
	return h
}

func BenchmarkPair(b *testing.B) {
	for _, m := range layout.Modes {
		b.Run(m.String(), func(b *testing.B) {
			h := benchHeap(b, m)
			defer h.Close()
			for b.Loop() {
				p, _ := h.Malloc(56)
				h.FreePointer(p)
			}
		})
		b.Run(m.String()+"-slice", func(b *testing.B) {
			h := benchHeap(b, m)
			defer h.Close()
			for b.Loop() {
				p, _ := h.Alloc(56)
				h.Free(p)
			}
		})
	}
}

func BenchmarkBurst(b *testing.B) {
	for _, m := range layout.Modes {
		b.Run(m.String(), func(b *testing.B) {
			h := benchHeap(b, m)
			defer h.Close()
			perm := rand.New(rand.NewSource(1)).Perm(10000)
			blocks := make([][]byte, 10000)
			b.ResetTimer()
			for i := 0; i < b.N; i += 10000 {
				for j := range blocks {
					blocks[j], _ = h.Alloc(56)
				}
				for _, j := range perm {
					h.Free(blocks[j])
				}
			}
		})
	}
}
