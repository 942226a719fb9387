package peers

import "unsafe"

// Population is the blocks of the log-normal mix, each written to, for who measures memory rather than time. It is for one
// goroutine.
type Population struct {
	// Grow fills all places, then replaces twice as many random blocks, so that the heap is as scattered as in a long run.
	Grow func()
	// Thin frees this part of the blocks, chosen at random; once.
	Thin func(part float64)
	// LiveBytes is what was asked for with the blocks that are live.
	LiveBytes func() int
	// Close frees the rest and closes the heap.
	Close func() error
}

// Populate opens a fresh heap of the peer. What the population itself needs is allocated and touched now.
func (p Peer) Populate(blocks int) (*Population, error) {
	heap, closeHeap, err := p.open()
	if err != nil {
		return nil, err
	}
	population := heap.population(blocks)
	end := population.Close
	population.Close = func() error {
		if err := end(); err != nil {
			return err
		}
		return closeHeap()
	}
	return population, nil
}

func (o over[B]) population(blocks int) *Population {
	places, sizes := make([]B, blocks), make([]int32, blocks)
	steps, order := logNormalSteps(3*blocks, blocks), shuffled(blocks)
	clear(places) // touches them
	clear(sizes)
	for i := range blocks {
		steps[i].place = int32(i)
	}
	freed := 0
	return &Population{
		Grow: func() {
			for i, s := range steps {
				o.replace(places, steps[i:i+1])
				sizes[s.place] = s.size
				write(&places[s.place], int(s.size))
			}
		},
		Thin: func(part float64) {
			freed = int(part * float64(blocks))
			o.drain(places, order[:freed])
			for _, place := range order[:freed] {
				sizes[place] = 0
			}
		},
		LiveBytes: func() (sum int) {
			for _, size := range sizes {
				sum += int(size)
			}
			return sum
		},
		Close: func() error {
			o.drain(places, order[freed:])
			return nil
		},
	}
}

// write fills a block, whatever the peer calls a block. It takes the place and not the block, which would be copied to Go's heap.
func write(place any, size int) {
	var bytes []byte
	switch b := place.(type) {
	case *unsafe.Pointer:
		bytes = unsafe.Slice((*byte)(*b), size)
	case *uintptr:
		bytes = unsafe.Slice(*(**byte)(unsafe.Pointer(b)), size)
	case *[]byte:
		bytes = *b
	case **[]byte:
		bytes = **b
	}
	for i := range bytes {
		bytes[i] = 0xa5
	}
}
