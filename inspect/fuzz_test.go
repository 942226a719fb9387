package inspect_test

import (
	"context"
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/target"
)

// patchBytes is the size of one patch of FuzzDecoder's input: where (32 bits, below the part of the memory that is chosen by
// the next byte), what to do, and a word.
const patchBytes = 4 + 1 + 1 + 8

// FuzzDecoder writes words over the metadata of a heap that was used in every way, and asks every question. Whatever the
// memory holds, there is an answer or an error: no panic, no hang. With the checksums mended after the damage to the header,
// a liar gets as far as an honest heap.
func FuzzDecoder(f *testing.F) {
	h := newHeap(f, allocator.Options{Name: "fuzz", ReserveBytes: 16 << 20})
	live := busy(f, h, 11, 3000)
	for _, b := range live[len(live)/2:] {
		require.NoError(f, h.Free(b))
	}
	memory := image(f, h)
	var head layout.Header
	copy(layout.Bytes(&head), memory)
	parts := parts(&head)
	for part := range parts {
		for _, kind := range []byte{0, 1, 2, 3} {
			patch := make([]byte, patchBytes)
			binary.LittleEndian.PutUint32(patch, uint32(part*1000))
			patch[4], patch[5] = byte(part), kind
			binary.LittleEndian.PutUint64(patch[6:], 0xffff_ffff_ffff_fff0)
			f.Add(patch, uint64(part*64))
		}
	}
	var lock sync.Mutex // one copy of the memory
	f.Fuzz(func(t *testing.T, patches []byte, address uint64) {
		lock.Lock()
		defer lock.Unlock()
		undo := patchMemory(memory, parts, patches)
		defer undo()
		started := time.Now()
		askEverything(head.Identity.Base+address%uint64(len(memory)), memory)
		if took := time.Since(started); took > 20*time.Second {
			t.Errorf("the answers took %s", took)
		}
	})
}

// parts are the parts of the memory that patches go to: offsets from and to.
func parts(head *layout.Header) [][2]uint64 {
	id := &head.Identity
	at := func(start uint64, bytes uint64) [2]uint64 { return [2]uint64{start - id.Base, start - id.Base + bytes} }
	return [][2]uint64{
		at(id.Base, 488), at(id.Schema, uint64(id.SchemaBytes)), at(uint64(id.Bins), uint64(id.BinCount)*layout.BinBytes),
		at(uint64(id.Caches), layout.CacheBytes), at(uint64(id.Arenas), head.ArenasUsed*layout.ArenaDescriptorBytes),
		at(uint64(id.PageMap), head.ArenasUsed*layout.PagesPerArena*8), at(id.Descriptors, head.DescriptorsTop-id.Descriptors),
		at(id.Data, head.ArenasUsed*layout.ArenaBytes),
	}
}

// patchMemory applies the patches and returns what takes them back. The checksums follow, so that damage to the identity gets
// beyond them.
func patchMemory(memory []byte, parts [][2]uint64, patches []byte) (undo func()) {
	unpatch := patchWords(memory, parts, patches)
	var before, now layout.Header
	copy(layout.Bytes(&before), memory)
	now = before
	now.Identity.Checksum, now.Twin.Checksum = now.Identity.Sum(), now.Twin.Sum()
	copy(memory, layout.Bytes(&now))
	return func() {
		copy(memory, layout.Bytes(&before))
		unpatch()
	}
}

// patchWords applies the patches and returns what takes them back.
func patchWords(memory []byte, parts [][2]uint64, patches []byte) (undo func()) {
	type old struct {
		at   uint64
		word uint64
	}
	var olds []old
	for ; len(patches) >= patchBytes && len(olds) < 64; patches = patches[patchBytes:] {
		part := parts[int(patches[4])%len(parts)]
		at := part[0] + uint64(binary.LittleEndian.Uint32(patches))%(part[1]-part[0])
		at = min(at, uint64(len(memory))-8)
		word := binary.LittleEndian.Uint64(patches[6:])
		found := binary.LittleEndian.Uint64(memory[at:])
		olds = append(olds, old{at, found})
		switch patches[5] % 4 {
		case 1:
			word ^= found
		case 2:
			word += found
		case 3: // a word of another place
			word = binary.LittleEndian.Uint64(memory[part[0]+word%(part[1]-part[0])&^7:])
		}
		binary.LittleEndian.PutUint64(memory[at:], word)
	}
	return func() {
		for i := len(olds) - 1; i >= 0; i-- {
			binary.LittleEndian.PutUint64(memory[olds[i].at:], olds[i].word)
		}
	}
}

// askEverything asks every question about a memory. Answers and errors are both fine.
func askEverything(address uint64, memory []byte) {
	ctx := context.Background()
	t := target.FromBytes(memory)
	_, _ = inspect.Check(ctx, t, inspect.CheckOptions{})
	h, err := inspect.Open(ctx, t)
	if err != nil {
		return
	}
	_, _ = h.Structs(ctx, inspect.StructsOptions{})
	_, _ = h.Math(ctx)
	_, _ = h.Stats(ctx)
	_, _ = h.Bins(ctx)
	if slabs, err := h.Slabs(-1); err == nil {
		for _, s := range slabs.Slabs[:min(len(slabs.Slabs), 8)] {
			_, _ = h.Blocks(uint64(s.Base))
			_, _ = h.Hexdump(uint64(s.Base), 3000)
		}
	}
	_, _ = h.Map(ctx, inspect.MapOptions{Bin: 2})
	_, _ = h.Whatis(address)
	_, _ = h.Hexdump(address, 600)
	_, _ = h.Leaks(ctx, inspect.LeakOptions{})
	_, _ = h.Log(inspect.LogOptions{})
	if q, err := inspect.BlockColumns.Parse(query.Words{Where: `size >= 0 and stack != "x"`, Sort: "-age", Limit: 50}); err == nil {
		if l, err := h.ListBlocks(ctx, inspect.BlockOptions{Virgin: true}, q); err == nil {
			for range l.Table.Cells() {
			}
		}
	}
	_, _ = inspect.Diff(ctx, h, h, inspect.DiffOptions{})
	_, _ = h.History(address)
	id := h.Identity()
	_, _ = inspect.Unreachable(ctx, rooted{t, []uint64{address, id.Data, id.Data + 1<<20 - 1, id.GuardPages + layout.PageBytes}}, nil, inspect.LeakOptions{})
	for _, name := range []string{"header", "bin 1", "arena 0", "cache 0", "magazine 0.3", "page 5", "slab 0", "span 9", inspect.Address(address).String()} {
		_, _ = h.Dump(name)
	}
}
