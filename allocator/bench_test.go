package allocator

import (
	"math/rand"
	"strconv"
	"testing"
)

// layers are the ways to use a heap whose prices docs/costs.md tells.
var layers = []struct {
	name    string
	options Options
}{
	{"plain", Options{Mode: ModePlain}},
	{"sealed", Options{Mode: ModeSealed}},
	{"sealed,guard=1:10000", Options{Mode: ModeSealed, GuardRate: 10_000}},
	{"sealed,guard=1:1000", Options{Mode: ModeSealed, GuardRate: 1000}},
	{"sealed,profile=1:1000", Options{Mode: ModeSealed, ProfileRate: 1000}},
	{"audit", Options{Mode: ModeAudit}},
}

func benchHeap(b *testing.B, o Options) *Heap {
	h, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	return h
}

// BenchmarkPair allocates a block and frees it at once.
func BenchmarkPair(b *testing.B) {
	for _, l := range layers {
		b.Run(l.name, func(b *testing.B) {
			h := benchHeap(b, l.options)
			for b.Loop() {
				p, _ := h.Malloc(56)
				h.FreePointer(p)
			}
		})
		b.Run(l.name+"-slice", func(b *testing.B) {
			h := benchHeap(b, l.options)
			for b.Loop() {
				p, _ := h.Alloc(56)
				h.Free(p)
			}
		})
		b.Run(l.name+"-1000B", func(b *testing.B) {
			h := benchHeap(b, l.options)
			for b.Loop() {
				p, _ := h.Malloc(1000)
				h.FreePointer(p)
			}
		})
	}
}

// BenchmarkFrames does audited pairs with so many more frames on the stack.
func BenchmarkFrames(b *testing.B) {
	for _, frames := range []int{0, 4, 8, 12, 16} {
		b.Run(strconv.Itoa(frames), func(b *testing.B) {
			h := benchHeap(b, Options{Mode: ModeAudit})
			callDeep(frames, func() {
				for b.Loop() {
					p, _ := h.Malloc(56)
					h.FreePointer(p)
				}
			})
		})
	}
}

// BenchmarkBurst allocates 10,000 blocks, then frees them in random order.
func BenchmarkBurst(b *testing.B) {
	for _, l := range layers {
		b.Run(l.name, func(b *testing.B) {
			h := benchHeap(b, l.options)
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
