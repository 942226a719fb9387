package peers

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/glassheap/glassheap/internal/mtrace"
)

// ReadTrace makes a workload of a recording by glibc's mtrace(), which may be compressed. It is decoded here, so that only the
// allocator is timed. A realloc counts as a pair, as it is one where the block moves. What is live at the end of the recording
// is freed then; frees of blocks that it does not know are left out.
func ReadTrace(path string) (Workload, error) {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	t, err := decode(path)
	if err != nil {
		return Workload{}, err
	}
	return Workload{Name: "trace", Size: name, bind: func(heap tasks) task { return heap.replays(t) }}, nil
}

const mostTraceBytes = 1 << 30 // in one block: a tape has 31 bits for it

// decode gives each block of a recording a place of its own for as long as it lives.
func decode(path string) (*tape, error) {
	r, err := mtrace.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	live := map[uint64]int32{} // place by address
	t := new(tape)
	var vacant []int32
	add := func(what op, place int32, size uint64) { // a pair
		t.events = append(t.events, event{what, place, int32(size)})
		t.pairs++
	}
	forget := func(address uint64) {
		if place, known := live[address]; known {
			delete(live, address)
			vacant = append(vacant, place)
			t.events = append(t.events, event{op: release, place: place})
		}
	}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if e.Address == 0 || e.Op == mtrace.FailedRealloc {
			continue
		}
		if e.Size > mostTraceBytes {
			return nil, fmt.Errorf("%s, line %d: a block of %d bytes is more than this machine should be asked for", path, e.Line, e.Size)
		}
		place, known := live[e.Old]
		switch {
		case e.Op == mtrace.Free:
			forget(e.Address)
		case e.Op == mtrace.Realloc && known:
			delete(live, e.Old)
			forget(e.Address) // of another block, whose free was not recorded
			live[e.Address] = place
			add(resize, place, max(e.Size, 1))
		default:
			forget(e.Address)
			if last := len(vacant) - 1; last >= 0 {
				place, vacant = vacant[last], vacant[:last]
			} else {
				place = int32(t.places)
				t.places++
			}
			live[e.Address] = place
			add(allocate, place, max(e.Size, 1))
		}
	}
	if t.pairs == 0 {
		return nil, fmt.Errorf("%s: nothing is allocated in it", path)
	}
	occupied := make([]bool, t.places)
	for _, place := range live {
		occupied[place] = true
	}
	for place, yes := range occupied {
		if yes {
			t.events = append(t.events, event{op: release, place: int32(place)})
		}
	}
	return t, nil
}
