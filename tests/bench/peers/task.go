package peers

import "sync"

// task is a workload bound to a heap: run does at least so many pairs of an allocation and a free and returns how many, end
// frees what is still live.
type task struct {
	run func(pairs int) (done int)
	end func()
}

// tasks makes the tasks of one heap, whatever its blocks are to the user: addresses, numbers or slices.
type tasks interface {
	pairs(size int) task
	bursts(size int, order []int32) task
	mix() task
	produceConsume(size int) task
	server() task
	replays(t *tape) task
	population(blocks int) *Population
}

// loops are what each peer writes out. B is what it calls a block; the zero B is no block, and freeing it does nothing.
type loops[B any] interface {
	// pair allocates and frees at once, n times.
	pair(n, size int)
	// fill allocates a block for each place.
	fill(blocks []B, size int)
	// drain frees the blocks in the given order.
	drain(blocks []B, order []int32)
	// replace frees one block and allocates another in its place, for each step.
	replace(blocks []B, steps []step)
	// replay does what a tape says.
	replay(blocks []B, tape []event)
}

// over makes tasks from a peer's loops.
type over[B any] struct{ loops[B] }

// pairs is the least an allocator can be asked: the block that was just freed is the next one wanted. One more block stays
// live, for an allocator that holds nothing else may give its memory up at each free, and no program is like that.
func (o over[B]) pairs(size int) task {
	kept := make([]B, 1)
	o.fill(kept, size)
	return task{
		run: func(pairs int) int {
			o.pair(pairs, size)
			return pairs
		},
		end: func() { o.drain(kept, inOrder(1)) },
	}
}

const burstBlocks = 10_000

// bursts allocates many blocks, then frees them all in the given order.
func (o over[B]) bursts(size int, order []int32) task {
	blocks := make([]B, burstBlocks)
	return task{
		run: func(pairs int) (done int) {
			for ; done < pairs; done += burstBlocks {
				o.fill(blocks, size)
				o.drain(blocks, order)
			}
			return done
		},
		end: func() {},
	}
}

const mixBlocks = 100_000

// mix is a cache in its steady state: many live blocks of all sizes, and a random one makes room for each new one.
func (o over[B]) mix() task {
	blocks, steps := make([]B, mixBlocks), logNormalSteps(stepsOnTape, mixBlocks)
	for i, s := range steps[:mixBlocks] {
		o.replace(blocks, []step{{int32(i), s.size}}) // a zero block: nothing is freed
	}
	o.replace(blocks, steps) // so that all blocks are scattered, and all pages were touched, before the clock starts
	next := 0
	return task{
		run: func(pairs int) int {
			for left := pairs; left > 0; {
				n := min(left, len(steps)-next)
				o.replace(blocks, steps[next:next+n])
				next = (next + n) % len(steps)
				left -= n
			}
			return pairs
		},
		end: func() { o.drain(blocks, inOrder(mixBlocks)) },
	}
}

const (
	batchBlocks     = 1000 // in one batch: enough that the channels cost little
	batchesUnderWay = 8    // under way at most
)

// produceConsume allocates in one goroutine and frees in another, a batch at a time.
func (o over[B]) produceConsume(size int) task {
	order := inOrder(batchBlocks)
	empty, full := make(chan []B, batchesUnderWay), make(chan []B, batchesUnderWay)
	for range batchesUnderWay {
		empty <- make([]B, batchBlocks)
	}
	return task{
		run: func(pairs int) int {
			batches := (pairs + batchBlocks - 1) / batchBlocks
			go func() {
				for range batches {
					blocks := <-empty
					o.fill(blocks, size)
					full <- blocks
				}
			}()
			for range batches {
				blocks := <-full
				o.drain(blocks, order)
				empty <- blocks
			}
			return batches * batchBlocks
		},
		end: func() {},
	}
}

const (
	serverBlocks = 1000 // each goroutine's
	serverRound  = 1000 // steps until the goroutines swap their blocks
	serverRounds = 64   // on the tape
	serverLeast  = 16   // bytes
	serverMost   = 1024
)

// server is like Larson's benchmark: each of two goroutines replaces random ones of its blocks; after each round they swap
// all they have, so that most blocks are freed by the one that did not allocate them.
func (o over[B]) server() task {
	const goroutines = 2
	steps := uniformSteps(serverRounds*serverRound, serverBlocks, serverLeast, serverMost)
	var holds [goroutines][]B
	var doors [goroutines]chan []B
	for me := range goroutines {
		holds[me], doors[me] = make([]B, serverBlocks), make(chan []B, 1)
		o.fill(holds[me], serverMost)
	}
	work := func(me, rounds int) {
		mine := holds[me]
		for round := range rounds {
			at := (round + me*serverRounds/goroutines) % serverRounds * serverRound
			o.replace(mine, steps[at:at+serverRound])
			doors[1-me] <- mine
			mine = <-doors[me]
		}
		holds[me] = mine
	}
	return task{
		run: func(pairs int) int {
			rounds := (pairs + goroutines*serverRound - 1) / (goroutines * serverRound)
			var group sync.WaitGroup
			group.Go(func() { work(0, rounds) })
			work(1, rounds)
			group.Wait()
			return rounds * goroutines * serverRound
		},
		end: func() {
			for _, blocks := range holds {
				o.drain(blocks, inOrder(serverBlocks))
			}
		},
	}
}

// replays plays a tape from its beginning to its end, again and again. At its end nothing is live.
func (o over[B]) replays(t *tape) task {
	blocks := make([]B, t.places)
	return task{
		run: func(pairs int) (done int) {
			for ; done < pairs; done += t.pairs {
				o.replay(blocks, t.events)
			}
			return done
		},
		end: func() {},
	}
}

// starts opens a heap and closes it.
func (p Peer) starts() task {
	return task{
		run: func(times int) int {
			for range times {
				_, closeHeap, err := p.open()
				must(err)
				must(closeHeap())
			}
			return times
		},
		end: func() {},
	}
}

// both runs two tasks of one heap at the same time, each for half of the pairs.
func both(a, b task) task {
	return task{
		run: func(pairs int) (done int) {
			half := (pairs + 1) / 2
			var doneA int
			var group sync.WaitGroup
			group.Go(func() { doneA = a.run(half) })
			doneB := b.run(half)
			group.Wait()
			return doneA + doneB
		},
		end: func() {
			a.end()
			b.end()
		},
	}
}
