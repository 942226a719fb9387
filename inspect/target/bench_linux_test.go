package target

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// benchmarkOwner starts a process whose heap has a large block, part, that was written.
func benchmarkOwner(b *testing.B) (p proc, f found, part Extent) {
	c, r := startOwner(b, orders{Heaps: []heapOrder{{Name: "large", Backing: allocator.BackingMemfd, Bytes: 256 << 20}}})
	p = procOf(c.Process.Pid)
	heaps, err := p.heaps()
	require.NoError(b, err)
	last := r.Heaps[0].Blocks[len(r.Heaps[0].Blocks)-1]
	return p, heaps[0], Extent{int64(last.Address - r.Heaps[0].Base), int64(last.Bytes)}
}

func BenchmarkRead(b *testing.B) {
	p, f, part := benchmarkOwner(b)
	copied, err := p.openMemory(f)
	require.NoError(b, err)
	slow := byProcessMemory(b, p, f)
	for _, door := range []struct {
		name string
		io.ReaderAt
	}{{"memfd", openHeap(b, p.pid, "")}, {"process_vm_readv", copied}, {"process_memory", slow}} {
		for _, size := range []int64{4 << 10, 64 << 10, 256 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%s/%dKiB", door.name, size>>10), func(b *testing.B) {
				piece := make([]byte, size)
				b.SetBytes(size)
				at := part.Offset
				for b.Loop() {
					if _, err := door.ReadAt(piece, at); err != nil {
						b.Fatal(err)
					}
					if at += size; at+size > part.end() {
						at = part.Offset
					}
				}
			})
		}
	}
}

func BenchmarkStop(b *testing.B) {
	for _, busy := range []int{2, 40} {
		b.Run(fmt.Sprintf("%d_threads", busy), func(b *testing.B) {
			_, from, _ := busyOwner(b, orders{Busy: busy})
			for b.Loop() {
				require.NoError(b, stop(b, from).Resume())
			}
		})
	}
}

func BenchmarkFreeze(b *testing.B) {
	p, _, part := benchmarkOwner(b)
	from := openHeap(b, p.pid, "")
	b.SetBytes(part.Bytes)
	for b.Loop() {
		f, err := Freeze(b.Context(), from, []Extent{part})
		require.NoError(b, err)
		require.NoError(b, f.Close())
	}
}

func BenchmarkSnapshot(b *testing.B) {
	for name, heap := range map[string][]byte{"patchwork": patchwork(1, 64<<20), "zeros": heapBytes(64 << 20), "records": records(64 << 20)} {
		var file bytes.Buffer
		b.Run("write/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(heap)))
			for b.Loop() {
				file.Reset()
				require.NoError(b, WriteSnapshot(b.Context(), &file, FromBytes(heap), whole(heap), SnapshotInfo{}, nil))
			}
			b.ReportMetric(float64(file.Len())/float64(len(heap)), "ratio")
		})
		b.Run("read/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(heap)))
			p := make([]byte, 256<<10)
			for b.Loop() {
				s, err := openBytes(file.Bytes())
				require.NoError(b, err)
				for at := int64(0); at < s.Size(); at += int64(len(p)) {
					s.ReadAt(p, at)
				}
			}
		})
	}
}

// records looks like the blocks of a program: small structs with text, numbers and addresses, each with a seal.
func records(size int) []byte {
	heap := heapBytes(size)
	for at := 4096; at+72 <= size; at += 72 {
		*(*uint64)(unsafe.Pointer(&heap[at])) = uint64(0x7f0000000000 + at)
		copy(heap[at+8:], fmt.Sprintf("user-%d@example", at*7919%100_000))
		*(*uint64)(unsafe.Pointer(&heap[at+40])) = uint64(at * at)
		*(*uint64)(unsafe.Pointer(&heap[at+64])) = uint64(at) * 0x9e3779b97f4a7c15
	}
	return heap
}
