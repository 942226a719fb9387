package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// arenaWidth is how many cells show the 256 pages of an arena.
const arenaWidth = 64

// mapLabel is how wide the names at the left of a map are.
const mapLabel = 9

// Map draws the heap: arena → bin → slab → block.
func Map(w io.Writer, r *inspect.MapReport, s Style) error {
	p := newPage(w, s)
	p.heap(r.Heap)
	if len(r.Arenas) > 0 {
		p.Printf("\n")
	}
	for _, a := range r.Arenas {
		p.arena(a)
	}
	if len(r.Arenas) > 0 {
		signs := []string{"█ full slab", "▓ with room", "▒ empty", "▚ span", "░ free, dirty", "· free"}
		if slices.ContainsFunc(r.Arenas, func(a inspect.ArenaMap) bool { return strings.ContainsRune(a.Pages, rune(inspect.UseHeld)) }) {
			signs = slices.Insert(signs, 4, "▤ quarantined span")
		}
		p.legend(signs...)
	}
	if r.Heap.Slabs == 0 && r.Heap.Spans == 0 {
		p.Printf("\nnothing is in it\n")
		return p.Err
	}
	for i, b := range r.Bins {
		if i == 0 {
			p.Printf("\n")
		}
		if b.Slabs == 0 && len(r.Bins) == 1 {
			p.Printf("bin %d has no slab\n", b.Bin)
		}
		if b.Slabs > 0 {
			slabs := fmt.Sprintf("%6s %-5s", number(b.Slabs), agree(uint64(b.Slabs), "slab", "slabs"))
			p.Printf("%-*s%6d B %s %s %9s of %s live\n", mapLabel, fmt.Sprintf("bin %d", b.Bin), b.Size, slabs, p.bar(share{b.Live, b.Cached + b.Depot, b.Blocks}, 22), number(b.Live), number(b.Blocks))
		}
	}
	if len(r.Slabs) > 0 {
		p.Printf("\n")
	}
	for _, m := range r.Slabs {
		p.slab(m)
	}
	if len(r.Slabs) > 0 {
		signs := []string{p.Paint(live, "■") + " live", p.Paint(dim, "□") + " free", p.Paint(cached, "◇") + " cached"}
		if slices.ContainsFunc(r.Slabs, func(m inspect.SlabMap) bool { return m.Quarantined > 0 }) {
			signs = append(signs, p.Paint(unsure, "▤")+" quarantined")
		}
		p.legend(append(signs, p.Paint(dim, "·")+" virgin", p.Paint(damaged, "▨")+" withdrawn", p.Paint(damaged, "✗")+" damaged")...)
	}
	if r.Left > 0 {
		p.Printf("%s more left out: --all draws %s\n", number(r.Left), agree(uint64(r.Left), "it", "them"))
	}
	if len(r.Slabs) == 0 && len(r.Bins) > 1 {
		p.next(p.command("map", "--bin N"), "the slabs and blocks of a bin")
	}
	return p.Err
}

// legend says what the signs above it mean.
func (p *page) legend(signs ...string) {
	indent := strings.Repeat(" ", mapLabel)
	p.Flow(indent, indent, signs, "  ")
}

// arena draws an arena that is cut into pages, and says what another one is.
func (p *page) arena(a inspect.ArenaMap) {
	name := fmt.Sprintf("%-*s ", mapLabel-1, fmt.Sprintf("arena %d", a.Arena))
	if a.State != layout.ArenaPages.String() {
		p.Printf("%s%s\n", name, a.State)
		return
	}
	p.Printf("%s▕%s▏%4.0f%%\n", name, p.arenaCells(a.Pages), 100*float64(a.UsedPages)/float64(len(a.Pages)))
}

// arenaCells draws an arena's pages, four to a cell: the one that has the most to tell is shown.
func (p *page) arenaCells(pages string) string {
	signs := []struct {
		use inspect.PageUse
		sign
	}{
		{inspect.UseFull, sign{"█", live}}, {inspect.UseSome, sign{"▓", live}}, {inspect.UseSpan, sign{"▚", cached}},
		{inspect.UseHeld, sign{"▤", unsure}}, {inspect.UseEmpty, sign{"▒", dim}}, {inspect.UseGuard, sign{"▚", dim}}, {inspect.UseDirty, sign{"░", dim}},
	}
	var cells []sign
	per := max(1, len(pages)/arenaWidth)
	for start := 0; start < len(pages); start += per {
		cell := pages[start:min(start+per, len(pages))]
		shown := sign{"·", dim}
		for _, s := range signs {
			if strings.Contains(cell, string(rune(s.use))) {
				shown = s.sign
				break
			}
		}
		cells = append(cells, shown)
	}
	return p.draw(cells)
}

// sign is a cell of a drawing.
type sign struct {
	glyph string
	color report.Color
}

// draw puts signs side by side. Those of the same colour are painted in one go.
func (p *page) draw(signs []sign) string {
	var b strings.Builder
	for start, i := 0, 0; i < len(signs); i++ {
		if i+1 == len(signs) || signs[i+1].color != signs[start].color {
			var same strings.Builder
			for _, s := range signs[start : i+1] {
				same.WriteString(s.glyph)
			}
			b.WriteString(p.Paint(signs[start].color, same.String()))
			start = i + 1
		}
	}
	return b.String()
}

// mapRow is how many blocks a line shows at most: a round number, so that a block can be counted out.
const mapRow = 64

// slab draws the blocks of a slab.
func (p *page) slab(m inspect.SlabMap) {
	label := fmt.Sprintf("%-*s ", mapLabel-1, fmt.Sprintf("slab %d", m.Slab))
	broken := map[int]bool{}
	for _, i := range m.Damaged {
		broken[i] = true
	}
	for start := 0; start < len(m.Places); start += mapRow {
		var row []sign
		for i := start; i < min(start+mapRow, len(m.Places)); i++ {
			row = append(row, blockSign(m.Places[i], broken[i]))
		}
		p.Printf("%s%s\n", label, p.draw(row))
		label = strings.Repeat(" ", width(label))
	}
}

func blockSign(place inspect.Place, broken bool) sign {
	switch {
	case broken || place == inspect.PlaceLost:
		return sign{"✗", damaged}
	case place == inspect.PlaceLive || place == inspect.PlaceInFlight:
		return sign{"■", live}
	case place == inspect.PlaceFree:
		return sign{"□", dim}
	case place == inspect.PlaceCached || place == inspect.PlaceDepot:
		return sign{"◇", cached}
	case place == inspect.PlaceWithdrawn:
		return sign{"▨", damaged}
	case place == inspect.PlaceQuarantined:
		return sign{"▤", unsure}
	}
	return sign{"·", dim}
}
