package peers

import "sync"

// Absence is a peer that cannot be measured here.
type Absence struct {
	Name string `json:"name"`
	Why  string `json:"why"`
	From string `json:"from"` // how to get it
}

// How to get the peers that are not pure Go.
const (
	fromC        = "CGO_ENABLED=1 and gcc, on a system with a libc.so"
	fromMimalloc = "apt-get install libmimalloc-dev; built with cgo"
	fromTcmalloc = "apt-get install libgoogle-perftools-dev; built with cgo"
	fromJemalloc = "apt-get install libjemalloc-dev binutils; ./libjemalloc.sh; CGO_CFLAGS=-DJEMALLOC_NO_RENAME go run -tags jemalloc ."
)

// Absent are the peers that cannot be had here.
func Absent() []Absence { return looked().absent }

type lookedFor struct {
	here   []Peer
	absent []Absence
}

// looked finds out once which peers can be had, by opening those that may be missing.
var looked = sync.OnceValue(func() (found lookedFor) {
	for _, p := range named {
		if err := p.try(); err != nil {
			found.absent = append(found.absent, Absence{p.Name, err.Error(), p.from})
		} else {
			found.here = append(found.here, p)
		}
	}
	return found
})

func (p Peer) try() error {
	if p.from == "" {
		return nil
	}
	_, closeHeap, err := p.open()
	if err != nil {
		return err
	}
	return closeHeap()
}
