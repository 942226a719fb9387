package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// journal is what one P keeps in audit mode.
type journal struct {
	*layout.Journal
	address Address
	bytes   uint64 // strides of the blocks in its quarantine
	known   bool   // each of them was found
}

// name is how outputs call it.
func (j *journal) name(i int) string { return fmt.Sprintf("Journal %d", i) }

// decodeJournals copies the journals that are in use and places the blocks that they hold back.
func (h *Heap) decodeJournals() {
	if !h.format.audit {
		return
	}
	r := h.capture.journals
	for i := range int(min(h.header.JournalsReady, uint64(len(r.bytes))/h.format.journal.bytes)) {
		address := r.start + uint64(i)*h.format.journal.bytes
		raw := new(layout.Journal)
		h.format.journal.fill(raw, r.bytes[address-r.start:])
		j := &journal{Journal: raw, address: Address(address), known: true}
		h.journals = append(h.journals, j)
		held, ok := raw.Held()
		if !ok {
			continue // its verdict says so
		}
		for k := range held {
			at := (raw.QuarantineOut + k) % layout.QuarantineBlocks
			entry := cachedBlock{place: PlaceQuarantined, journal: uint16(i), entry: uint16(at)}
			if raw.Quarantine[at] == raw.Moving {
				entry.hand = int32(i) + 1
			}
			j.place(h, i, at, entry)
		}
	}
}

// place finds the slab and the block of one entry of the quarantine.
func (j *journal) place(h *Heap, i int, k uint64, entry cachedBlock) {
	address := j.Quarantine[k]
	s := h.slabAt(address)
	expected := ""
	if s == nil {
		expected = "the address of a block"
	} else {
		expected = entry.locate(s, address)
	}
	if expected == "" {
		s.cached = append(s.cached, entry)
		j.bytes += uint64(s.class.Stride)
		return
	}
	j.known = false
	held := h.held()
	h.problems.add(held, func() Finding {
		return fromVerdict(CodeMetadata, j.name(i), uint64(j.address), layout.Verdict{
			Field: fmt.Sprintf("Quarantine[%d]", k), Found: layout.Hex(address), Expected: expected, Why: "the quarantine holds blocks that were given out", UnderWay: held,
		})
	})
}

// journalsFound is how many journals say that they are ready: those that are counted, and the one behind them, were it in use.
func (h *Heap) journalsFound() (n uint64) {
	if !h.format.audit {
		return 0
	}
	for address := h.capture.journals.start; ; address += h.format.journal.bytes {
		ready, ok := get[uint32](h.capture.journals, address+h.format.journalReady)
		if !ok {
			return n
		}
		if ready != 0 {
			n++
		}
	}
}

func (h *Heap) judgeJournals(visit func(Judgement), all bool) {
	for i, q := range h.journals {
		facts := layout.JournalFacts{ID: uint32(i), Bytes: q.bytes, Known: q.known}
		h.judgeStruct(visit, all, title(q.name(i)), "Journal", uint64(q.address), func(j *layout.Judge) { q.Judge(j, facts) })
	}
}
