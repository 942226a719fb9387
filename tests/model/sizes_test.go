package model

import "github.com/glassheap/glassheap/allocator/layout"

// size chooses how many bytes to ask for: mostly few, often a number at which something changes.
func (w *world) size(c choices) int {
	switch kind := c.below(20, "kind of size"); {
	case kind < 9:
		return c.below(300, "size")
	case kind < 14: // one class or the next
		class := w.classes[c.below(len(w.classes), "class")]
		return max(0, int(class.Size)+oneOf(c, "beside the class", 0, 1, -1))
	case kind < 17: // one page or the next, with the seal and without
		pages := 1 + c.below(12, "pages")
		return pages*layout.PageBytes + oneOf(c, "beside the page", 0, 1, -1, -7, -8, -9)
	case kind < 18: // one arena or the next: a page is the guard's
		arenas := 1 + c.below(2, "arenas")
		return arenas*layout.ArenaBytes - oneOf(c, "pages less", 1, 0, 2)*layout.PageBytes + oneOf(c, "beside the arena", 0, 1, -8, -7, -9)
	case kind < 19:
		return c.below(100<<10, "middling size")
	default:
		return c.below(3<<20, "large size")
	}
}

// nearby chooses a size that has something to do with the one that a block has.
func (w *world) nearby(c choices, size int) int {
	switch c.below(8, "kind of new size") {
	case 0:
		return size
	case 1:
		return size + 1
	case 2:
		return max(0, size-1)
	case 3:
		return size / 2
	case 4:
		return size*3/2 + 1
	case 5:
		return max(0, size-c.below(5000, "shrink by"))
	case 6:
		return size + c.below(5000, "grow by")
	default:
		return w.size(c)
	}
}
