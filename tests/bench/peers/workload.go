package peers

import "fmt"

// Workload is one pattern of use. Its figure is nanoseconds of wall time for one allocation and one free.
type Workload struct {
	// Name and Size tell it in tables and benchmarks. Size is what every peer is asked for, in bytes; a sealed heap adds
	// its eight to that.
	Name, Size string
	// Concurrent says that several goroutines share the heap.
	Concurrent bool

	startUp bool // not of a heap, but of opening and closing one
	bind    func(tasks) task
}

// Mix is the name of the workload whose own loop is measured, too: see Loops.
const Mix = "mix"

// String is the workload's full name.
func (w Workload) String() string { return w.Name + "/" + w.Size }

// Workloads are the workloads in the order of a table's rows.
func Workloads() []Workload {
	var all []Workload
	for _, size := range []int{16, 64, 256, 1024} {
		all = append(all, Workload{Name: "pair", Size: fmt.Sprint(size), bind: func(t tasks) task { return t.pairs(size) }})
	}
	for _, size := range []int{16, 64, 256, 1024} {
		all = append(all, Workload{Name: "burst", Size: fmt.Sprint(size), bind: func(t tasks) task { return t.bursts(size, shuffled(burstBlocks)) }})
	}
	return append(all,
		Workload{Name: "burst-lifo", Size: "64", bind: func(t tasks) task { return t.bursts(64, reversed(burstBlocks)) }},
		Workload{Name: "burst-fifo", Size: "64", bind: func(t tasks) task { return t.bursts(64, inOrder(burstBlocks)) }},
		Workload{Name: Mix, Size: "lognormal", bind: tasks.mix},
		Workload{Name: "grow", Size: fmt.Sprintf("%d-%d", growsFrom, growsTo), bind: func(t tasks) task { return t.replays(growth()) }},
		Workload{Name: "parallel-pair", Size: "64", Concurrent: true, bind: func(t tasks) task { return both(t.pairs(64), t.pairs(64)) }},
		Workload{Name: "parallel-burst", Size: "64", Concurrent: true, bind: func(t tasks) task {
			return both(t.bursts(64, shuffled(burstBlocks)), t.bursts(64, shuffled(burstBlocks)))
		}},
		Workload{Name: "producer-consumer", Size: "64", Concurrent: true, bind: func(t tasks) task { return t.produceConsume(64) }},
		Workload{Name: "server", Size: "mixed", Concurrent: true, bind: tasks.server},
		Workload{Name: "start", Size: "heap", startUp: true},
	)
}
