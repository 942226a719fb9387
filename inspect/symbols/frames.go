package symbols

import "slices"

// Frame is one call of a stack.
type Frame struct {
	PC       uint64 `json:"pc"`       // an address in the call's instruction; calls that were inlined have none of their own
	Function string `json:"function"` // with its package's path: "main.(*T).M", "main.F[...]", "main.main.func1"
	File     string `json:"file"`     // "?": not known
	Line     int    `json:"line"`
	Entry    uint64 `json:"entry"`   // where the code starts, for an inlined call that of the function it was inlined into
	Inlined  bool   `json:"inlined"` // into the frame that follows
}

// Frames tells what was being called at a return address, innermost first: one frame, and one more for each call that it was
// inlined into. It is nil for an address outside of the program's Go code. Frames of generated wrappers are left out as
// runtime.CallersFrames does.
func (t *Table) Frames(pc uint64) []Frame {
	t.lock.Lock()
	defer t.lock.Unlock()
	calls := t.known(pc)
	var frames []Frame
	for i := 0; i < len(calls); {
		frames = append(frames, t.moved(calls[i]))
		i = following(calls, i)
	}
	return frames
}

// Stack tells the frames of return addresses as runtime.Callers gives them, just as runtime.CallersFrames does. Where calls
// were inlined, runtime.Callers gives an address for each of them; a list of only the real ones, as a debugger or a walk along
// frame pointers gives, has the same frames. Addresses outside of the program's Go code are left out.
func (t *Table) Stack(pcs []uint64) []Frame {
	t.lock.Lock()
	defer t.lock.Unlock()
	var frames []Frame
	for len(pcs) > 0 {
		calls := t.known(pcs[0])
		pcs = pcs[1:]
		for i := 0; i < len(calls); {
			frames = append(frames, t.moved(calls[i]))
			// The list goes on by itself, or it was cut off here.
			listed := func(c call) bool { return len(pcs) == 0 || c.PC+1+t.bias == pcs[0] }
			next := following(calls, i)
			if slices.ContainsFunc(calls[i+1:min(next+1, len(calls))], listed) {
				break
			}
			i = next
		}
	}
	return frames
}

// following is the next call that is shown. The runtime shows the wrappers that call the start of a panic
// (elideWrapperCalling of runtime/traceback.go), but that is never inlined.
func following(calls []call, i int) int {
	next := i + 1
	for next < len(calls) && calls[next].wrapper {
		next++
	}
	return next
}

// moved is a call's frame, where the program was loaded.
func (t *Table) moved(c call) Frame {
	f := c.Frame
	f.PC += t.bias
	f.Entry += t.bias
	return f
}

const (
	mostKnown      = 1 << 14
	mostKnownBytes = 16 << 20
	callBytes      = 96 // of a call without its strings, about
)

// known is the calls at a return address. They are kept: stacks share most of theirs.
func (t *Table) known(pc uint64) []call {
	pc -= t.bias
	if calls, ok := t.cache[pc]; ok {
		return calls
	}
	calls := t.calls(pc)
	bytes := 0
	for _, c := range calls {
		bytes += callBytes + len(c.Function) + len(c.File)
	}
	if t.cacheBytes += bytes; len(t.cache) == mostKnown || t.cacheBytes > mostKnownBytes {
		clear(t.cache)
		t.cacheBytes = bytes
	}
	t.cache[pc] = calls
	return calls
}
