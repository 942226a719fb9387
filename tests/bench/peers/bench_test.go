package peers_test

import (
	"strings"
	"testing"

	"github.com/glassheap/glassheap/tests/bench/peers"
)

// BenchmarkPeers runs every workload over every peer. The names are made for benchstat: -col /peer -row /workload,/size.
func BenchmarkPeers(b *testing.B) {
	for _, w := range peers.Workloads() {
		for _, p := range peers.All() {
			if p.Can(w) {
				b.Run("workload="+w.Name+"/size="+w.Size+"/peer="+p.Name, func(b *testing.B) { benchmark(b, w, p) })
			}
		}
	}
}

func benchmark(b *testing.B, w peers.Workload, p peers.Peer) {
	trial, err := p.Prepare(w)
	if err != nil {
		b.Fatal(err)
	}
	trial.Run(1) // a first burst or batch, so that fresh memory is not what is timed
	b.ResetTimer()
	done := trial.Run(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(done), "ns/op") // whole batches may be more than b.N
	if err := trial.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAtomics is what the machine's uncontended atomics cost.
func BenchmarkAtomics(b *testing.B) {
	for _, a := range peers.Atomics() {
		b.Run("operation="+strings.ReplaceAll(a.Name, " ", "-"), func(b *testing.B) { a.Run(b.N) })
	}
}
