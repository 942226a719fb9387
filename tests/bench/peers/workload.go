package peers

import "fmt"

// Workload is one pattern of use. Its figure is nanoseconds of wall time for one allocation and one free.
type Workload struct {
	// Name and Size tell it in tables and benchmarks. Size is what every peer is asked for, in bytes; a sealed heap adds
	// its eight to that.
	Name, Size string
	// Concurrent says that several goroutines share the heap.
	Concurrent bool

	bind func(tasks) task
}

// String is the workload's full name.
func (w Workload) String() string { return w.Name + "/" + w.Size }

// Workloads are the workloads in the order of a table's rows.
func Workloads() []Workload {
	var all []Workload
	for _, size := range []int{16, 64, 256, 1024} {
		all = append(all, Workload{Name: "pair", Size: fmt.Sprint(size), bind: func(t tasks) task { return t.pairs(size) }})
	}
	for _, size := range []int{16, 64, 256, 1024} {
		all = append(all, Workload{Name: "burst", Size: fmt.Sprint(size), bind: func(t tasks) task { return t.bursts(size) }})
	}
	return append(all,
		Workload{Name: "mix", Size: "lognormal", bind: tasks.mix},
		Workload{Name: "parallel-pair", Size: "64", Concurrent: true, bind: func(t tasks) task { return both(t.pairs(64), t.pairs(64)) }},
		Workload{Name: "parallel-burst", Size: "64", Concurrent: true, bind: func(t tasks) task { return both(t.bursts(64), t.bursts(64)) }},
		Workload{Name: "producer-consumer", Size: "64", Concurrent: true, bind: func(t tasks) task { return t.produceConsume(64) }},
	)
}
