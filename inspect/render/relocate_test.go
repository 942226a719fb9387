package render_test

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// What differs from one run to the next, and what it is in every image.
const (
	heapData   = uint64(0x7f6900000000) // of the blocks: they stay where they are when the metadata get another size
	heapSecret = uint64(0x5eed_0f_a_5ea1_cafe)
	ownerPID   = 4711
)

// heapBase is where the header lies.
var heapBase = heapData - layout.Place(heapArenas).Data

// heapArenas is how many arenas the images reserve.
const heapArenas = 16

var heapStarted = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// relocate moves a heap to heapBase: its addresses, the seals that are made of them, and who owns it.
func relocate(heap []byte) {
	var head layout.Header
	copy(layout.Bytes(&head), heap)
	old := head.Identity
	places := sealedPlaces(heap)
	relocateAudit(heap, &head)

	// An aligned word of the metadata that lies in the heap's range is an address: no count, link or page entry is that large.
	for at := uint64(0); at < old.Data-old.Base; at += 8 {
		if word := binary.LittleEndian.Uint64(heap[at:]); word-old.Base <= old.Reserve {
			binary.LittleEndian.PutUint64(heap[at:], word-old.Base+heapBase)
		}
	}
	copy(layout.Bytes(&head), heap)
	id := &head.Identity
	id.Secret, id.PID, id.StartedUnix, id.Backing = heapSecret, ownerPID, heapStarted.Unix(), layout.BackingMemfd
	id.Checksum = id.Sum()
	head.Twin = *id
	copy(heap, layout.Bytes(&head))
	for _, p := range places {
		p.seal(heap)
	}
}

// sealedPlace is where a block's seal lies, and what it says.
type sealedPlace struct {
	start, end uint64 // of the block without its seal, from the heap's base
	used       int
	state      layout.State
	aligned    int
}

// sealedPlaces finds the seals of a heap that nobody has damaged.
func sealedPlaces(heap []byte) (places []sealedPlace) {
	h, err := inspect.Open(context.Background(), target.FromBytes(heap))
	must(err)
	slabs, err := h.Slabs(-1)
	must(err)
	base := h.Identity().Base
	for _, s := range slabs.Slabs {
		blocks, err := h.Blocks(uint64(s.Base))
		must(err)
		for _, b := range blocks.Blocks {
			if seal := layout.Seal(b.SealWord); b.Seal != inspect.SealNone {
				start := uint64(b.Address) - base
				places = append(places, sealedPlace{start, start + uint64(b.Size), int(seal.Size()), seal.State(), b.Aligned})
			}
		}
	}
	for _, s := range spansOf(h) {
		if h.Identity().SealBytes > 0 && s.Place == inspect.PlaceLive {
			start := uint64(s.Address) - base
			places = append(places, sealedPlace{start, start + uint64(s.Size), s.Requested, layout.StateLive, 0})
		}
	}
	return places
}

// spansOf lists the live spans by asking what each page is.
func spansOf(h *inspect.Heap) (spans []*inspect.Block) {
	id := h.Identity()
	for address := id.Data; address < id.Base+id.Reserve; address += layout.PageBytes {
		w, err := h.Whatis(address)
		must(err)
		if w.Kind == "span" && w.Offset == 0 {
			spans = append(spans, w.Block)
		}
	}
	return spans
}

// seal writes the seal that the block has at its new address.
func (p sealedPlace) seal(heap []byte) {
	address := heapBase + p.start
	binary.LittleEndian.PutUint64(heap[p.end:], uint64(layout.MakeSeal(address, heapSecret, p.used, p.state)))
	if p.aligned > 0 {
		user := p.start + uint64(p.aligned)
		mark := layout.MakeAlignmentMark(heapBase+user, heapSecret, p.aligned)
		binary.LittleEndian.PutUint64(heap[user-layout.SealBytes:], uint64(mark))
	}
}
