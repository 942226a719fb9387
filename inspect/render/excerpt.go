package render

import (
	"fmt"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

// excerptRow is how many bytes of an excerpt one line shows.
const excerptRow = 16

// excerpt writes the bytes around damage: data and what was written over as they are, the pattern behind the data as dots
// where it is whole, and a bar where the seal begins.
func (p *page) excerpt(f inspect.Finding, label, indent string) {
	e := f.Excerpt
	whole := 0 // rows behind the damage that hold nothing but the pattern
	for start := 0; start < len(e.Bytes); start += excerptRow {
		end := min(start+excerptRow, len(e.Bytes))
		if start >= e.To && end <= e.Seal && inSlack(f, start) {
			if whole++; whole == 1 {
				p.printf("%s+%-5d %s\n", label, e.Offset+start, p.paint(dim, "·· and so on: not written over"))
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
			if f.Block != nil && f.Block.Seal == inspect.SealBroken {
				hex.WriteString("  " + p.paint(damaged, "seal broken"))
			} else {
				hex.WriteString("  " + p.paint(dim, "seal intact"))
			}
		}
		p.printf("%s+%-5d%s\n", label, e.Offset+start, hex.String())
		if marks := strings.TrimRight(under.String(), " "); marks != "" {
			what := " written over"
			if e.To > end {
				what = "" // the marks go on in the next line
			}
			p.printf("%s%s%s\n", indent, strings.Repeat(" ", 16), p.paint(damaged, marks+what))
		}
		label = indent + strings.Repeat(" ", 10)
	}
}

// excerptByte is one byte of an excerpt, with what stands before it.
func (p *page) excerptByte(f inspect.Finding, i int) string {
	e := f.Excerpt
	gap := " "
	if i == e.Seal {
		gap = "|"
	}
	pair := fmt.Sprintf("%02x", e.Bytes[i])
	switch {
	case i >= e.From && i < e.To:
		return gap + p.paint(damaged, pair)
	case i >= e.Seal:
		return gap + p.paint(dim, pair)
	case inSlack(f, i):
		return gap + p.paint(dim, "··")
	}
	return gap + pair
}

// inSlack reports whether a byte of an excerpt is of a pattern: between the data of a live block and its seal, in the poison of a
// freed one, or behind the last block of a slab.
func inSlack(f inspect.Finding, i int) bool {
	b := f.Block
	return b == nil || b.Seal == inspect.SealPoison || b.Place == inspect.PlaceLive && b.Requested >= 0 && f.Excerpt.Offset+i >= b.Aligned+b.Requested
}
