package inspect

import (
	"context"
	"fmt"
	"slices"

	"github.com/glassheap/glassheap/allocator/layout"
)

// MathReport is the answer to "are my calculations right?": each figure derived from first principles, not by the code that
// the heap used, next to what the heap has stored.
type MathReport struct {
	Heap     Summary   `json:"heap"`
	Geometry string    `json:"geometry"`
	Mode     string    `json:"mode"`
	Figures  []Figure  `json:"figures"`
	Bins     []BinMath `json:"bins"`
	Notes    []string  `json:"notes"`
	Wrong    int       `json:"wrong"`
}

// Figure is one derived figure of the whole heap.
type Figure struct {
	Name    string `json:"name"`
	Formula string `json:"formula"`
	Derived uint64 `json:"derived"`
	Stored  uint64 `json:"stored"`
	OK      bool   `json:"ok"`
}

// BinMath is what is derived for one bin. Sizes are in bytes. OK says that the live heap stores the same.
type BinMath struct {
	Bin           int              `json:"bin"`
	Size          uint64           `json:"size"`
	Stride        uint64           `json:"stride"`
	SlabBytes     uint64           `json:"slab_bytes"`
	BlocksPerSlab uint64           `json:"blocks_per_slab"`
	SlabsPerBin   uint64           `json:"slabs_per_bin"`  // before it borrows; 0: it has no share of its own
	BlocksPerBin  uint64           `json:"blocks_per_bin"` // in these slabs
	LostBytes     uint64           `json:"lost_bytes"`     // at a slab's end
	WastePercent  float64          `json:"waste_percent"`  // of a block, at most, when the smallest request of the class is served
	PlainStride   uint64           `json:"plain_stride"`   // what it would be without seals
	PlainPerSlab  uint64           `json:"plain_blocks_per_slab"`
	PlainPerBin   uint64           `json:"plain_blocks_per_bin"`
	SlabsSeen     int              `json:"slabs_seen"` // slabs of the live heap that were held against these figures
	OK            bool             `json:"ok"`
	Wrong         []layout.Verdict `json:"wrong,omitempty"`
}

// Math derives the figures and compares them with the heap's.
func (h *Heap) Math(ctx context.Context) (*MathReport, error) {
	if err := h.usable(); err != nil {
		return nil, err
	}
	result, err := pass{}.run(ctx, h)
	if err != nil {
		return nil, err
	}
	id := &h.id
	r := &MathReport{Heap: h.summary(result.counts), Geometry: id.Geometry.String(), Mode: id.Mode.String()}
	seal := uint64(0)
	if id.Mode.SealBytes() != 0 {
		seal = 8
	}
	sizes, formula := deriveSizes(id.Geometry, seal)
	r.figure("page", "the system's", 4096, uint64(id.PageBytes))
	r.figure("arena", "1 MiB / 4096 B a page", (1<<20)/4096, uint64(id.ArenaBytes)/uint64(max(id.PageBytes, 1)))
	r.figure("seal", sealFormula(id.Mode), seal, uint64(id.SealBytes))
	r.figure("bins", formula, uint64(len(sizes)), uint64(id.BinCount))
	share := uint64(0)
	if id.Geometry == layout.GeometryNotes {
		share = (1 << 20) / 4096 / uint64(len(sizes))
		r.figure("slabs", fmt.Sprintf("256 / %d bins", len(sizes)), share, uint64(h.bins[0].Share))
	}
	smaller := uint64(0)
	for i, b := range h.bins {
		if i >= len(sizes) {
			break
		}
		m := deriveBin(id.Geometry, i, sizes[i], smaller, seal, share)
		smaller = sizes[i]
		h.compareBin(&m, b)
		r.Bins = append(r.Bins, m)
		if !m.OK {
			r.Wrong++
		}
	}
	for _, f := range r.Figures {
		if !f.OK {
			r.Wrong++
		}
	}
	r.Notes = mathNotes(id.Geometry)
	return r, nil
}

func (r *MathReport) figure(name, formula string, derived, stored uint64) {
	r.Figures = append(r.Figures, Figure{name, formula, derived, stored, derived == stored})
}

func sealFormula(m layout.Mode) string {
	if m == layout.ModePlain {
		return "a plain heap has none"
	}
	return "one word of 64 bits"
}

// deriveSizes are the sizes of a geometry's classes, and how they come about.
func deriveSizes(g layout.Geometry, seal uint64) (sizes []uint64, formula string) {
	if g == layout.GeometryNotes {
		for i := range 8 {
			sizes = append(sizes, 8<<i)
		}
		return sizes, "8, doubling from 8 B to 1024 B"
	}
	for i := 1; i <= 16; i++ {
		sizes = append(sizes, uint64(8*i))
	}
	for i := range 64 {
		doubling, eighth := i/8, i%8+1
		sizes = append(sizes, 128<<doubling*uint64(8+eighth)/8)
	}
	if g == layout.GeometryAligned {
		for i, size := range sizes {
			sizes[i] = min((size+seal+15)/16*16, 32768) - seal
		}
		return slices.Compact(sizes), "as the default's, with strides in steps of 16 B"
	}
	return sizes, "16 in steps of 8 B, then 8 to each of 8 doublings"
}

// deriveBin derives one bin. smaller is the size of the class below.
func deriveBin(g layout.Geometry, bin int, size, smaller, seal, share uint64) BinMath {
	m := BinMath{Bin: bin, Size: size, Stride: size + seal, PlainStride: size, SlabsPerBin: share, SlabBytes: deriveSlabBytes(g, size+seal)}
	m.BlocksPerSlab = m.SlabBytes / m.Stride
	m.LostBytes = m.SlabBytes - m.BlocksPerSlab*m.Stride
	m.BlocksPerBin = share * m.BlocksPerSlab
	m.PlainPerSlab = deriveSlabBytes(g, size) / size
	m.PlainPerBin = share * m.PlainPerSlab
	m.WastePercent = 100 * float64(size-smaller-1) / float64(size)
	return m
}

// deriveSlabBytes is how large a slab of blocks of this stride has to be: a page in the notes; else the smallest number of
// pages that holds 32 blocks, but at least 16 KiB and, where 64 KiB hold fewer, those, of which at most an eighth is left over.
func deriveSlabBytes(g layout.Geometry, stride uint64) uint64 {
	if g == layout.GeometryNotes {
		return 4096
	}
	bytes := min(max(32*stride, 16384), 65536)
	bytes = (bytes + 4095) / 4096 * 4096
	for bytes < stride || 8*(bytes%stride) > bytes {
		bytes += 4096
	}
	return bytes
}

// compareBin holds the derived figures against the bin's struct and against every slab of the live heap.
func (h *Heap) compareBin(m *BinMath, b *Bin) {
	var j layout.Judge
	j.Equal("Size", uint64(b.Size), m.Size, "the geometry")
	j.Equal("Stride", uint64(b.Stride), m.Stride, "size and seal")
	j.Equal("SlabPages", uint64(b.SlabPages), m.SlabBytes/4096, "slab bytes / page")
	j.Equal("Capacity", uint64(b.Capacity), m.BlocksPerSlab, "slab bytes / stride")
	j.Equal("Share", uint64(b.Share), m.SlabsPerBin, "pages of an arena / bins")
	for _, s := range b.slabs {
		m.SlabsSeen++
		before := len(j.Verdicts)
		j.Equal("Stride", uint64(s.Stride), m.Stride, "size and seal")
		j.Equal("Capacity", uint64(s.Capacity), m.BlocksPerSlab, "slab bytes / stride")
		j.Equal("Pages", uint64(s.Pages), m.SlabBytes/4096, "slab bytes / page")
		for i := range j.Verdicts[before:] {
			j.Verdicts[before+i].Field = s.name() + "." + j.Verdicts[before+i].Field
		}
	}
	m.Wrong, m.OK = j.Verdicts, len(j.Verdicts) == 0
}

// mathNotes points out where the lecture notes slipped.
func mathNotes(g layout.Geometry) []string {
	if g != layout.GeometryNotes {
		return []string{}
	}
	return []string{
		fmt.Sprintf("the notes' drawing says 0x4000 blocks for each slab of bin 1 (8 B): that is the bin's figure, 32 × 0x200; a slab of 4096 B holds 4096 / 8 = %#x", 4096/8),
		fmt.Sprintf("the notes' drawing says 0x80A for bin 8 (1024 B): 32 slabs × 4096 / 1024 blocks = %#x", 32*4096/1024),
	}
}
