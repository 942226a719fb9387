package mtrace

import "encoding/binary"

// CallerID stands for the text of one caller, within one Reader. 0 is a caller that the recording does not name, or one of
// too many.
type CallerID uint32

// A program has some thousand callers. What a hostile recording adds beyond these bounds stays unnamed.
const (
	mostCallers     = 1 << 16
	mostCallerBytes = 8 << 20
)

// callers keeps each caller's text once.
type callers struct {
	ids   map[string]CallerID
	names []string // [0] is the unknown caller
	bytes int

	// recent is who was last seen with the same ending. Hashing the whole text for the map would be a third of the time that
	// a line takes.
	recent [1 << recentBits]CallerID
}

const recentBits = 10

func newCallers() callers { return callers{ids: map[string]CallerID{}, names: []string{""}} }

// id is the caller's number, a new one for a new caller.
func (c *callers) id(text []byte) CallerID {
	if len(text) < 8 {
		return c.find(text)
	}
	ending := binary.LittleEndian.Uint64(text[len(text)-8:])
	recent := &c.recent[ending*0x9e3779b97f4a7c15>>(64-recentBits)]
	if c.names[*recent] != string(text) {
		*recent = c.find(text)
	}
	return *recent
}

func (c *callers) find(text []byte) CallerID {
	if len(text) == 0 {
		return 0
	}
	if id, known := c.ids[string(text)]; known {
		return id
	}
	if len(c.names) > mostCallers || c.bytes+len(text) > mostCallerBytes {
		return 0
	}
	name, id := string(text), CallerID(len(c.names))
	c.ids[name] = id
	c.names = append(c.names, name)
	c.bytes += len(text)
	return id
}
