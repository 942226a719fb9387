package peers_test

import (
	"testing"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// Every peer runs every workload. Close proves that each block was freed: glassheap reports those that were not.
func TestEveryPeerRunsEveryWorkload(t *testing.T) {
	const pairs = 101 // no whole number of batches, nor of halves
	for _, w := range peers.Workloads() {
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

func TestAtomicsRun(t *testing.T) {
	for _, a := range peers.Atomics() {
		if done := a.Run(10); done != 10 {
			t.Errorf("%s: %d done, 10 wanted", a.Name, done)
		}
	}
}
