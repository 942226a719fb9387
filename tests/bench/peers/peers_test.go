package peers_test

import (
	"testing"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// Every peer runs every workload. Close proves that each block was freed: glassheap reports those that were not.
func TestEveryPeerRunsEveryWorkload(t *testing.T) {
	const pairs = 101 // no whole number of batches, nor of halves
	trace, err := peers.ReadTrace("../../../internal/mtrace/testdata/small.mtrace")
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range append(peers.Workloads(), trace) {
		for _, p := range peers.All() {
			if !p.Can(w) {
				continue
			}
			t.Run(w.String()+"/"+p.Name, func(t *testing.T) {
				trial, err := p.Prepare(w)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if done := trial.Run(pairs); done < pairs {
						t.Errorf("%d pairs done, %d wanted", done, pairs)
					}
				}
				if err := trial.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// A population's blocks are written to from end to end: Close proves that no block of a sealed heap is shorter than it should be.
func TestEveryPeerHoldsAPopulation(t *testing.T) {
	const blocks = 1000
	for _, p := range peers.All() {
		t.Run(p.Name, func(t *testing.T) {
			population, err := p.Populate(blocks)
			if err != nil {
				t.Fatal(err)
			}
			if live := population.LiveBytes(); live != 0 {
				t.Errorf("%d bytes are live before there is a block", live)
			}
			population.Grow()
			all := population.LiveBytes()
			if all < 50*blocks || all > 200*blocks { // 106 in the mean
				t.Errorf("%d blocks of %d bytes", blocks, all)
			}
			population.Thin(0.9)
			if left := population.LiveBytes(); left == 0 || left > all/4 {
				t.Errorf("%d bytes of %d are left of a tenth of the blocks", left, all)
			}
			if err := population.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestLoopsRunTheMix(t *testing.T) {
	for _, w := range peers.Workloads() {
		if w.Name != peers.Mix {
			continue
		}
		for _, p := range peers.Loops() {
			trial, err := p.Prepare(w)
			if err != nil {
				t.Fatal(err)
			}
			if done := trial.Run(10); done != 10 {
				t.Errorf("%s: %d done, 10 wanted", p.Name, done)
			}
			if err := trial.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestAtomicsRun(t *testing.T) {
	for _, a := range peers.Atomics() {
		if done := a.Run(10); done != 10 {
			t.Errorf("%s: %d done, 10 wanted", a.Name, done)
		}
	}
}
