// Command gc measures what the garbage collector costs a program with millions of live objects: on Go's heap, and in a glassheap.
// Each way runs in a process of its own.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"slices"
	"strconv"
	"time"
)

// aimCPU is the collector's time with the objects in a glassheap, as a part of that with the objects on Go's heap.
const aimCPU = 0.05

func main() {
	objects := flag.Int("objects", 10_000_000, "live objects of 64 B")
	rounds := flag.Int("rounds", 5, "rounds; medians are printed")
	child := flag.String("way", "", "measure this way in this process, and print JSON (gc starts itself so)")
	flag.Parse()
	err := errors.New("-objects and -rounds must be at least 1")
	switch {
	case *objects < 1 || *rounds < 1:
	case *child != "":
		err = measure(*child, *objects)
	default:
		err = run(*objects, *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gc:", err)
		os.Exit(1)
	}
}

// cost is what one process found.
type cost struct {
	CPUSeconds   float64 // of the collector, on all processors
	LongestPause float64 // seconds; the upper bound of its bucket
	Seconds      float64 // the whole run
	Cycles       float64
}

func run(objects, rounds int) error {
	fmt.Printf("%d live objects of %d B, all replaced once at random, with %d B of other garbage for each; medians of %d rounds, GOMAXPROCS %d, %s, %s\n\n",
		objects, objectBytes, objectBytes, rounds, runtime.GOMAXPROCS(0), runtime.Version(), time.Now().Format(time.DateOnly))
	costs := make([][]cost, len(ways))
	for range rounds {
		for i, w := range ways {
			c, err := start(w.name, objects)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			costs[i] = append(costs[i], c)
		}
	}
	fmt.Printf("  %-20s %16s %18s %14s %8s\n", "", "GC CPU s", "longest pause ms", "run time s", "cycles")
	var cpu []float64
	for i, w := range ways {
		m := func(of func(cost) float64) float64 { return median(costs[i], of) }
		cpu = append(cpu, m(func(c cost) float64 { return c.CPUSeconds }))
		fmt.Printf("  %-20s %16.3f %18.3f %14.2f %8.0f\n", w.name, cpu[i], 1000*m(func(c cost) float64 { return c.LongestPause }),
			m(func(c cost) float64 { return c.Seconds }), m(func(c cost) float64 { return c.Cycles }))
	}
	fmt.Printf("\naims\n\n")
	for i, w := range ways[1:] {
		found, outcome := cpu[1+i]/cpu[0], "missed"
		if found <= aimCPU {
			outcome = "met"
		}
		fmt.Printf("  GC CPU of %-20s at most %.2f of %s  %.3f  %s\n", w.name, aimCPU, ways[0].name, found, outcome)
	}
	return nil
}

func median(costs []cost, of func(cost) float64) float64 {
	var values []float64
	for _, c := range costs {
		values = append(values, of(c))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// start measures one way in a process of its own.
func start(way string, objects int) (c cost, err error) {
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	command := exec.Command(self, "-way", way, "-objects", strconv.Itoa(objects))
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(out, &c)
}

// measure runs one way in this process.
func measure(name string, objects int) error {
	for _, w := range ways {
		if w.name != name {
			continue
		}
		started := time.Now()
		if err := w.run(objects); err != nil {
			return err
		}
		c := collector()
		c.Seconds = time.Since(started).Seconds()
		return json.NewEncoder(os.Stdout).Encode(c)
	}
	return fmt.Errorf("there is no way %q", name)
}

// collector asks the runtime what it did since the process began. It knows the time of whole cycles only.
func collector() cost {
	samples := []metrics.Sample{
		{Name: "/cpu/classes/gc/total:cpu-seconds"}, {Name: "/gc/cycles/total:gc-cycles"}, {Name: "/sched/pauses/total/gc:seconds"},
	}
	metrics.Read(samples)
	c := cost{CPUSeconds: samples[0].Value.Float64(), Cycles: float64(samples[1].Value.Uint64())}
	pauses := samples[2].Value.Float64Histogram()
	for i, count := range pauses.Counts {
		if count > 0 {
			c.LongestPause = pauses.Buckets[i+1]
			if math.IsInf(c.LongestPause, 1) {
				c.LongestPause = pauses.Buckets[i]
			}
		}
	}
	return c
}
