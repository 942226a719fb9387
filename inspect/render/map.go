package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/glassheap/glassheap/inspect"
)

// arenaWidth is how many cells show the 256 pages of an arena.
const arenaWidth = 64

// Map draws the heap: arena → bin → slab → block.
func Map(w io.Writer, r *inspect.MapReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	p.printf("\n")
	for _, a := range r.Arenas {
		p.printf("arena %-3d ▕%s▏ %3.0f %% used%s\n", a.Arena, p.arenaCells(a.Pages), 100*float64(a.UsedPages)/float64(len(a.Pages)), p.stateNote(a.State))
	}
	if len(r.Arenas) > 0 {
		p.printf("          %s\n\n", p.paint(dim, "█ full slabs  ▓ slabs with room  ░ empty slabs  ▚ spans  , free, dirty  · free"))
	}
	for _, b := range r.Bins {
		if b.Slabs > 0 {
			p.printf("bin %-3d %6d B  %6s slabs  %s %8s of %8s live\n", b.Bin, b.Size, number(b.Slabs), p.bar(b.Live, b.Cached+b.Depot, b.Blocks, 24), number(b.Live), number(b.Blocks))
		}
	}
	if len(r.Slabs) > 0 {
		p.printf("\n")
	}
	for _, m := range r.Slabs {
		p.slab(m)
	}
	if r.Left > 0 {
		p.printf("%d more left out: --all draws them\n", r.Left)
	}
	if len(r.Slabs) > 0 {
		p.printf("          %s live  %s free  %s cached  %s virgin  %s damaged\n", p.paint(live, "■"), p.paint(dim, "□"), p.paint(cached, "◇"), p.paint(dim, "·"), p.paint(damaged, "✗"))
	} else {
		p.next(p.command("map", "--bin N"), "the slabs and blocks of a bin")
	}
	return p.err
}

func (p *page) stateNote(state string) string {
	if state == "pages" {
		return ""
	}
	return ", " + state
}

// arenaCells draws an arena's pages, four to a cell: the one that has the most to tell is shown.
func (p *page) arenaCells(pages string) string {
	glyphs := []struct {
		use   inspect.PageUse
		glyph string
		paint text.Colors
	}{
		{inspect.UseFull, "█", live}, {inspect.UseSome, "▓", live}, {inspect.UseSpan, "▚", cached}, {inspect.UseEmpty, "░", dim}, {inspect.UseGuard, "▚", dim}, {inspect.UseDirty, ",", dim},
	}
	var b strings.Builder
	per := max(1, len(pages)/arenaWidth)
	for i := 0; i < len(pages); i += per {
		cell := pages[i:min(i+per, len(pages))]
		shown := p.paint(dim, "·")
		for _, g := range glyphs {
			if strings.Contains(cell, string(rune(g.use))) {
				shown = p.paint(g.paint, g.glyph)
				break
			}
		}
		b.WriteString(shown)
	}
	return b.String()
}

// slab draws the blocks of a slab.
func (p *page) slab(m inspect.SlabMap) {
	label := fmt.Sprintf("slab %-4d ", m.Slab)
	width := min(p.Width, 80) - len(label) - 1
	broken := map[int]bool{}
	for _, i := range m.Damaged {
		broken[i] = true
	}
	for start := 0; start < len(m.Places); start += width {
		var b strings.Builder
		for i := start; i < min(start+width, len(m.Places)); i++ {
			b.WriteString(p.blockGlyph(m.Places[i], broken[i]))
		}
		p.printf("%s%s\n", label, b.String())
		label = strings.Repeat(" ", len(label))
	}
}

func (p *page) blockGlyph(place inspect.Place, broken bool) string {
	switch {
	case broken || place == inspect.PlaceLost:
		return p.paint(damaged, "✗")
	case place == inspect.PlaceLive || place == inspect.PlaceInFlight:
		return p.paint(live, "■")
	case place == inspect.PlaceFree:
		return p.paint(dim, "□")
	case place == inspect.PlaceCached || place == inspect.PlaceDepot:
		return p.paint(cached, "◇")
	case place == inspect.PlaceWithdrawn:
		return p.paint(damaged, "▨")
	}
	return p.paint(dim, "·")
}
