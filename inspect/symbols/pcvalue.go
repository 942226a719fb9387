package symbols

// mostSteps bounds the work for one program counter. A function of a million instructions takes a few hundred thousand.
const mostSteps = 1 << 22

// cursor reads a part of a window byte by byte.
type cursor struct {
	window *window
	at     int64
	end    int64
	page   []byte
}

func (c *cursor) byte() (byte, bool) {
	if len(c.page) == 0 {
		if c.at >= c.end {
			return 0, false
		}
		page := c.window.from(c.at)
		c.page = page[:min(int64(len(page)), c.end-c.at)]
		if len(c.page) == 0 {
			return 0, false
		}
		c.at += int64(len(c.page))
	}
	b := c.page[0]
	c.page = c.page[1:]
	return b, true
}

// varint reads a number of 32 bits.
func (c *cursor) varint() (uint32, bool) {
	var v uint32
	for shift := 0; shift < 35; shift += 7 {
		b, ok := c.byte()
		if !ok {
			return 0, false
		}
		v |= uint32(b&0x7f) << shift
		if b&0x80 == 0 {
			return v, true
		}
	}
	return 0, false
}

// value looks up what a table of the function says for an instruction, given by its distance from the function's entry:
// a line, the number of a file, of an inlined call. -1 is nothing. The table is a list of differences: of the value, zigzag,
// and of the program counter up to which it holds; a value that does not change ends it, except at the start.
func (t *Table) value(table uint32, distance uint64) int32 {
	if table == 0 || int64(table) >= t.module.valueTable.bytes {
		return -1
	}
	c := cursor{window: t.window, at: t.module.valueTable.at + int64(table), end: t.module.valueTable.end()}
	value := int32(-1)
	for until := uint64(0); t.steps > 0; t.steps-- {
		change, ok := c.varint()
		if !ok || change == 0 && until != 0 {
			return -1
		}
		length, ok := c.varint()
		if !ok {
			return -1
		}
		value += int32(-(change & 1) ^ change>>1)
		until += uint64(length * t.module.quantum)
		if distance < until {
			return value
		}
	}
	return -1
}
