package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/inspect"
)

const dumpRow = 16

// Hexdump writes bytes with what they are: damage red, seals and slack dim, data of live blocks green.
func Hexdump(w io.Writer, r *inspect.HexdumpReport, s Style) error {
	p := newPage(w, s)
	kinds := make([]inspect.MarkKind, len(r.Bytes))
	var block *inspect.Block
	starts := map[int]*inspect.Block{}
	for _, m := range r.Marks {
		for i := m.From; i < m.To; i++ {
			kinds[i] = m.Kind
		}
		if m.Block != nil && (block == nil || m.Block.Address != block.Address) {
			starts[m.From] = m.Block
			block = m.Block
		}
	}
	// A line ends at 16 bytes, or where a block begins.
	for at := 0; at < len(r.Bytes); {
		if b := starts[at]; b != nil {
			p.Printf("%s\n", p.Paint(dim, fmt.Sprintf("%s  %s", b.Address, b.Where())))
		}
		end := min(at+dumpRow, len(r.Bytes))
		for i := at + 1; i < end; i++ {
			if starts[i] != nil {
				end = i
			}
		}
		p.dumpLine(r, kinds, at, end)
		at = end
	}
	if legend := p.marksLegend(kinds); legend != "" {
		p.Printf("%s\n", legend)
	}
	return p.Err
}

func (p *page) dumpLine(r *inspect.HexdumpReport, kinds []inspect.MarkKind, from, to int) {
	var hex, chars, marks strings.Builder
	for i := from; i < from+dumpRow; i++ {
		if i == from+dumpRow/2 {
			hex.WriteByte(' ')
			marks.WriteByte(' ')
		}
		if i >= to {
			hex.WriteString("   ")
			continue
		}
		b := r.Bytes[i]
		digits, shown := fmt.Sprintf("%02x", b), "·"
		switch {
		case kinds[i] == inspect.MarkMissing:
			digits, shown = "··", " "
		case b >= 0x20 && b < 0x7f:
			shown = string(rune(b))
		}
		hex.WriteString(" " + p.mark(kinds[i], digits))
		chars.WriteString(p.mark(kinds[i], shown))
		marks.WriteString(" " + underline[kinds[i]])
	}
	line := fmt.Sprint(r.Start+inspect.Address(from), hex.String(), p.Paint(dim, "│"), chars.String())
	p.Printf("%s\n", strings.TrimRight(line, " "))
	// Without colours, the line below says what the bytes above are.
	if line := strings.TrimRight(marks.String(), " "); !p.Color && line != "" || strings.Contains(line, "^") {
		p.Printf("%s%s\n", strings.Repeat(" ", len((r.Start+inspect.Address(from)).String())), p.Paint(damaged, line))
	}
}

var underline = map[inspect.MarkKind]string{
	inspect.MarkData: "  ", inspect.MarkSlack: "--", inspect.MarkSeal: "==", inspect.MarkDamage: "^^", inspect.MarkFree: "  ", inspect.MarkUnknown: "  ", inspect.MarkMissing: "  ",
}

func (p *page) mark(k inspect.MarkKind, s string) string {
	switch k {
	case inspect.MarkDamage:
		return p.Paint(damaged, s)
	case inspect.MarkData:
		return p.Paint(live, s)
	case inspect.MarkSeal:
		return p.Paint(cached, s)
	case inspect.MarkSlack, inspect.MarkFree, inspect.MarkMissing:
		return p.Paint(dim, s)
	}
	return s
}

func (p *page) marksLegend(kinds []inspect.MarkKind) string {
	seen := map[inspect.MarkKind]bool{}
	for _, k := range kinds {
		seen[k] = true
	}
	var words []string
	for _, k := range []inspect.MarkKind{inspect.MarkData, inspect.MarkFree, inspect.MarkSlack, inspect.MarkSeal, inspect.MarkDamage} {
		if seen[k] {
			word := string(k)
			if sign := strings.TrimSpace(underline[k]); sign != "" {
				word = sign + " " + word
			}
			words = append(words, p.mark(k, word))
		}
	}
	if seen[inspect.MarkMissing] {
		words = append(words, p.mark(inspect.MarkMissing, "·· not in the snapshot"))
	}
	return strings.Join(words, "   ")
}
