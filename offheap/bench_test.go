package offheap_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/offheap"
)

func BenchmarkAppend(b *testing.B) {
	b.Run("slice", func(b *testing.B) {
		var s []uint64
		for b.Loop() {
			if s = append(s, 1); len(s) == 1<<16 {
				s = nil
			}
		}
	})
	b.Run("Vec", func(b *testing.B) {
		h := heapOf(b, allocator.ModeSealed)
		v, err := offheap.NewVec[uint64](h, 0)
		require.NoError(b, err)
		for b.Loop() {
			if _ = v.Append(1); v.Len() == 1<<16 {
				_ = v.Free()
				v, _ = offheap.NewVec[uint64](h, 0)
			}
		}
		require.NoError(b, v.Free())
	})
}

func BenchmarkScope(b *testing.B) {
	h := heapOf(b, allocator.ModeSealed)
	b.Run("Alloc of 64", func(b *testing.B) {
		s := offheap.NewScope(h)
		for b.Loop() {
			if _, _ = s.Alloc(64); s.Used() > 1<<20 {
				_ = s.Reset()
			}
		}
		require.NoError(b, s.Free())
	})
	b.Run("NewScope, a chunk, Free", func(b *testing.B) {
		for b.Loop() {
			s := offheap.NewScope(h)
			_, _ = s.Alloc(64)
			_ = s.Free()
		}
	})
}

type page [1024]byte

func BenchmarkPool(b *testing.B) {
	h := heapOf(b, allocator.ModeSealed)
	p, err := offheap.NewPool[page](h, 100)
	require.NoError(b, err)
	b.Run("Pool", func(b *testing.B) {
		for b.Loop() {
			o, _ := p.Get()
			_ = p.Put(o)
		}
	})
	b.Run("two goroutines", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				o, _ := p.Get()
				_ = p.Put(o)
			}
		})
	})
	b.Run("New1 and Free1", func(b *testing.B) {
		for b.Loop() {
			o, _ := allocator.New1[page](h)
			_ = allocator.Free1(h, o)
		}
	})
	b.Run("sync.Pool", func(b *testing.B) {
		pool := sync.Pool{New: func() any { return new(page) }}
		for b.Loop() {
			pool.Put(pool.Get())
		}
	})
	require.NoError(b, p.Close())
}

func BenchmarkBuffer(b *testing.B) {
	line := bytes.Repeat([]byte("x"), 100)
	b.Run("bytes.Buffer", func(b *testing.B) {
		var buffer bytes.Buffer
		for b.Loop() {
			buffer.Write(line)
			buffer.Next(len(line))
		}
	})
	b.Run("Buffer", func(b *testing.B) {
		buffer := offheap.NewBuffer(heapOf(b, allocator.ModeSealed))
		for b.Loop() {
			_, _ = buffer.Write(line)
			buffer.Next(len(line))
		}
		require.NoError(b, buffer.Free())
	})
}

func BenchmarkHandle(b *testing.B) {
	h := heapOf(b, allocator.ModeSealed)
	for name, report := range map[string]offheap.ReportLost{"silent": nil, "reporting": func(offheap.Lost) {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				block, _ := h.Alloc(64)
				_ = offheap.NewHandle(h, block, report).Free()
			}
		})
	}
}
