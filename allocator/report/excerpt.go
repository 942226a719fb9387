package report

import (
	"fmt"
	"strings"
)

// Excerpt is a piece of memory around damage. From and To are indexes into Bytes: the first damaged byte, and the one behind
// the last.
type Excerpt struct {
	Start  Address `json:"start"`
	Offset int     `json:"offset"` // of the first byte, from the block's start
	Bytes  []byte  `json:"bytes"`
	From   int     `json:"damaged_from"`
	To     int     `json:"damaged_to"`
	Seal   int     `json:"seal"` // index of the seal's first byte; the end of Bytes: it is not among them
}

// Damaged is the address of the first damaged byte.
func (e *Excerpt) Damaged() Address { return e.Start + Address(e.From) }

// The bytes that an excerpt shows: context before the damage, and most altogether.
const (
	excerptContext = 16
	mostExcerpt    = 96
	excerptRow     = 16 // in a line of text
)

// cut cuts the bytes around damage, from..to, out of a piece of memory at address in which the seal begins at seal.
func cut(address uint64, piece []byte, from, to, seal int) *Excerpt {
	start := max(0, from-excerptContext) &^ 7
	end := min(len(piece), max(to, seal+8))
	if end-start > mostExcerpt {
		end = start + mostExcerpt
	}
	return &Excerpt{Start: Address(address + uint64(start)), Offset: start, Bytes: append([]byte(nil), piece[start:end]...), From: from - start, To: min(to, end) - start, Seal: seal - start}
}

// cutKnown is cut for a piece of which only the seal may be there.
func cutKnown(address uint64, piece []byte, from, to, seal int, onlySeal bool) *Excerpt {
	if !onlySeal {
		return cut(address, piece, from, to, seal)
	}
	e := cut(address+uint64(seal), piece[seal:], max(from, seal)-seal, max(to, seal)-seal, 0)
	e.Offset += seal
	return e
}

// excerpt writes the bytes around damage: data and what was written over as they are, the pattern behind the data as dots
// where it is whole, and a bar where the seal begins.
func (p *Page) excerpt(f *Finding, indent string) {
	e := f.Excerpt
	label := p.BodyLabel("bytes", indent)
	column := 6 // of the offsets
	for start := 0; start < len(e.Bytes); start += excerptRow {
		column = max(column, len(fmt.Sprintf("%+d", e.Offset+start)))
	}
	whole := 0 // rows behind the damage that hold nothing but the pattern
	for start := 0; start < len(e.Bytes); start += excerptRow {
		end := min(start+excerptRow, len(e.Bytes))
		if start >= e.To && end <= e.Seal && f.inSlack(start) {
			if whole++; whole == 1 {
				p.Printf("%s%+-*d %s\n", label, column, e.Offset+start, p.Paint(Dim, "·· and so on: not written over"))
			}
			continue
		}
		var hex, under strings.Builder
		for i := start; i < end; i++ {
			hex.WriteString(p.excerptByte(f, i))
			mark := "   "
			if i >= e.From && i < e.To {
				mark = " ^^"
			}
			under.WriteString(mark)
		}
		if end == len(e.Bytes) && e.Seal < len(e.Bytes) {
			hex.WriteString("  " + p.sealOf(e))
		}
		p.Printf("%s%+-*d%s\n", label, column, e.Offset+start, hex.String())
		if marks := strings.TrimRight(under.String(), " "); marks != "" {
			what := " written over"
			if e.To > end {
				what = "" // the marks go on in the next line
			}
			p.Printf("%s%s%s\n", indent, strings.Repeat(" ", 10+column), p.Paint(Damaged, marks+what))
		}
		label = indent + strings.Repeat(" ", 10)
	}
}

// sealOf says what became of the seal at the end of an excerpt.
func (p *Page) sealOf(e *Excerpt) string {
	switch {
	case e.To <= e.Seal:
		return p.Paint(Dim, "seal intact")
	case e.Offset+e.Seal < 0:
		return p.Paint(Damaged, "seal before it broken")
	}
	return p.Paint(Damaged, "seal broken")
}

// excerptByte is one byte of an excerpt, with what stands before it.
func (p *Page) excerptByte(f *Finding, i int) string {
	e := f.Excerpt
	gap := " "
	if i == e.Seal {
		gap = "|"
	}
	pair := fmt.Sprintf("%02x", e.Bytes[i])
	switch {
	case i >= e.From && i < e.To:
		return gap + p.Paint(Damaged, pair)
	case i >= e.Seal:
		return gap + p.Paint(Dim, pair)
	case f.inSlack(i):
		return gap + p.Paint(Dim, "··")
	}
	return gap + pair
}

// inSlack reports whether a byte of the excerpt is of a pattern: between the data of a live block and its seal, around a guarded
// one, in the poison of a freed one, or behind the last block of a slab.
func (f *Finding) inSlack(i int) bool {
	b, at := f.Block, f.Excerpt.Offset+i
	switch {
	case b == nil || b.Seal == SealPoison:
		return true
	case b.Guarded && at < 0:
		return true
	}
	return b.Place == PlaceLive && b.Requested >= 0 && at >= b.Aligned+b.Requested
}
