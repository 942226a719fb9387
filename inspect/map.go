package inspect

import (
	"context"

	"github.com/glassheap/glassheap/allocator/layout"
)

// PageUse says what a page is used for, for drawing.
type PageUse byte

// The uses of a page.
const (
	UseFree  PageUse = '.' // nothing
	UseDirty PageUse = ',' // nothing, but it still holds memory
	UseFull  PageUse = 'F' // a slab with no room
	UseSome  PageUse = 'S' // a slab with some of its blocks out
	UseEmpty PageUse = 'E' // a slab with none of its blocks out
	UseSpan  PageUse = 'L' // a large allocation
	UseHeld  PageUse = 'Q' // a large allocation that was freed and is held back
	UseGuard PageUse = 'G' // the guard page behind one
)

// ArenaMap is one arena: a PageUse for each of its pages.
type ArenaMap struct {
	Arena     int    `json:"arena"`
	State     string `json:"state"`
	Pages     string `json:"pages"` // a PageUse for each
	UsedPages int    `json:"used_pages"`
}

// SlabMap is one slab: a Place for each of its blocks, and which of them are damaged.
type SlabMap struct {
	SlabRow
	Places  []Place `json:"places"`
	Damaged []int   `json:"damaged"` // indexes of blocks whose seals don't fit
}

// MapReport is the heap as a drawing: arena → bin → slab → block.
type MapReport struct {
	Heap   Summary    `json:"heap"`
	Arenas []ArenaMap `json:"arenas"`
	Bins   []BinRow   `json:"bins"`
	Slabs  []SlabMap  `json:"slabs,omitempty"` // those that were zoomed to
	Left   int        `json:"left_out"`        // slabs and arenas that MapOptions.Most left out
}

// MapOptions say where to zoom.
type MapOptions struct {
	Bin     int    // draw this bin's slabs; -1: none
	Address uint64 // draw the slab that this address lies in; 0: none
	Most    int    // slabs that are drawn at most, and arenas; 0: all
}

// Map draws.
func (h *Heap) Map(ctx context.Context, o MapOptions) (*MapReport, error) {
	bins, err := h.Bins(ctx)
	if err != nil {
		return nil, err
	}
	if o.Bin >= len(h.bins) {
		_, err := h.Slabs(o.Bin)
		return nil, err
	}
	r := &MapReport{Heap: bins.Heap, Arenas: []ArenaMap{}, Bins: []BinRow{}}
	zoom := o.Bin >= 0 || o.Address != 0
	for i := range h.arenas {
		switch {
		case zoom:
		case o.Most > 0 && i >= o.Most:
			r.Left++
		default:
			r.Arenas = append(r.Arenas, h.arenaMap(i))
		}
	}
	for _, b := range bins.Bins {
		if !zoom || b.Bin == o.Bin {
			r.Bins = append(r.Bins, b)
		}
	}
	for _, s := range h.slabs {
		if (o.Bin < 0 || s.bin != o.Bin) && h.slabAt(o.Address) != s {
			continue
		}
		if o.Most > 0 && len(r.Slabs) >= o.Most {
			r.Left++
			continue
		}
		m, err := h.slabMap(s)
		if err != nil {
			return nil, err
		}
		r.Slabs = append(r.Slabs, m)
	}
	if o.Address != 0 && h.slabAt(o.Address) == nil {
		w, err := h.Whatis(o.Address)
		if err != nil {
			return nil, err
		}
		return nil, &NoSuchError{"slab at " + Address(o.Address).String(), "the address is " + w.Sentence}
	}
	return r, nil
}

func (h *Heap) arenaMap(i int) ArenaMap {
	m := ArenaMap{Arena: i, State: h.arenas[i].State.String()}
	pages := make([]byte, layout.PagesPerArena)
	for k := range pages {
		page := i*layout.PagesPerArena + k
		use := UseFree
		switch e := h.pageEntry(page); {
		case h.arenas[i].State == layout.ArenaHuge || h.arenas[i].State == layout.ArenaHugeTail:
			use = h.useOfSpan(page)
		case h.slabOfPage[page] != 0:
			switch s := h.slabs[h.slabOfPage[page]-1]; {
			case s.onEmpty:
				use = UseEmpty
			case s.onPartial:
				use = UseSome
			default:
				use = UseFull
			}
		case e.Kind() == layout.PageDirty:
			use = UseDirty
		case e.Kind() == layout.PageSpan:
			use = h.useOfSpan(page)
		case e.Kind() == layout.PageGuard:
			use = UseGuard
		}
		if use != UseFree && use != UseDirty {
			m.UsedPages++
		}
		pages[k] = byte(use)
	}
	m.Pages = string(pages)
	return m
}

// useOfSpan is the use of a page that a span has.
func (h *Heap) useOfSpan(page int) PageUse {
	if s := h.spanAt(h.id.Data + uint64(page)*layout.PageBytes); s != nil && s.held {
		return UseHeld
	}
	return UseSpan
}

func (h *Heap) slabMap(s *Slab) (SlabMap, error) {
	var c census
	m := SlabMap{SlabRow: s.row(&c), Damaged: []int{}}
	m.Places = append(m.Places, c.places...)
	for i := range s.carved() {
		f, err := h.diagnose(s, i, &c)
		if err != nil {
			return m, err
		}
		if f != nil {
			m.Damaged = append(m.Damaged, i)
		}
	}
	return m, nil
}
