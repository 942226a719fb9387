package symbols

import "encoding/binary"

// mostInlined bounds how deep calls are inlined into one another: what describes them may form a circle.
const mostInlined = 256

// call is a frame with what decides whether it is shown.
type call struct {
	Frame
	wrapper bool // generated, to adapt a method or a go statement: not shown when a call was inlined into it
}

// inlined is what describes an inlined call.
type inlined struct {
	name    uint32
	parent  uint64 // an instruction, by its distance from the entry, at the place of the call
	wrapper bool
}

func (t *Table) readInlined(f function, index int32) (c inlined, ok bool) {
	var raw [inlinedBytes]byte
	if !t.window.read(t.module.data, int64(f.inlinedData)+int64(index)*inlinedBytes, raw[:]) {
		return inlined{}, false
	}
	parent := int32(binary.LittleEndian.Uint32(raw[8:]))
	c = inlined{name: binary.LittleEndian.Uint32(raw[4:]), parent: uint64(parent), wrapper: raw[0] >= firstWrapper}
	return c, parent >= 0
}

// calls is all that was being called at a return address as the executable was linked, innermost first: the last one is the
// function that has the code.
func (t *Table) calls(pc uint64) []call {
	m := t.module
	if pc < m.start || pc >= m.end {
		return nil
	}
	f, ok := t.find(pc - m.text)
	if !ok || m.text+f.entry > pc {
		return nil
	}
	entry := m.text + f.entry
	distance := pc - entry
	if distance > 0 {
		distance-- // from behind the call into it
	}
	t.steps = mostSteps
	var calls []call
	for {
		c := call{wrapper: f.wrapper, Frame: Frame{PC: entry + distance, Entry: entry}}
		c.File, c.Line = t.position(f, distance)
		in, ok := inlined{}, false
		if index := t.value(f.inlined, distance); index >= 0 && len(calls) < mostInlined {
			in, ok = t.readInlined(f, index)
		}
		if ok {
			c.Function, c.Inlined, c.wrapper = t.nameOf(in.name), true, in.wrapper
		} else {
			c.Function = t.nameOf(f.name)
		}
		calls = append(calls, c)
		if !ok {
			return calls
		}
		distance = in.parent
	}
}
