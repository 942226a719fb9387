// Package glassheapprom shows Prometheus what heaps count.
//
//	prometheus.MustRegister(glassheapprom.New())                  every heap of the program, those made later too
//	prometheus.MustRegister(glassheapprom.New(cache, sessions))   these
//
// Every metric has the label heap, the heap's name; of several open heaps with one name the second is NAME#2. A scrape calls Stats of
// each heap, which takes the locks of its size classes one after the other: some microseconds, and the fast path of Alloc and Free
// takes none of them. A heap that is closed is no longer told.
//
// It is a module of its own, so that programs without Prometheus do not inherit it.
package glassheapprom

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/openheaps"
)

// Collector collects the figures of some heaps. It may be used by several goroutines at the same time.
type Collector struct{ heaps []*allocator.Heap }

// New makes a Collector of these heaps, or without any, of all that the program has and will have.
func New(heaps ...*allocator.Heap) *Collector { return &Collector{heaps} }

// metric is one figure of allocator.Stats.
type metric struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	value       func(*allocator.Stats) uint64
}

func gauge(name, help string, value func(*allocator.Stats) uint64) metric {
	return metric{describe(name, help), prometheus.GaugeValue, value}
}

func counter(name, help string, value func(*allocator.Stats) uint64) metric {
	return metric{describe(name, help), prometheus.CounterValue, value}
}

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("glassheap_"+name, help, []string{"heap"}, nil)
}

var metrics = []metric{
	gauge("reserve_bytes", "Address space for blocks.", func(s *allocator.Stats) uint64 { return s.ReserveBytes }),
	gauge("mapped_bytes", "Arenas that hold memory.", func(s *allocator.Stats) uint64 { return s.MappedBytes }),
	gauge("in_use_bytes", "Pages of slabs, spans and their guard pages.", func(s *allocator.Stats) uint64 { return s.InUseBytes }),
	gauge("retained_bytes", "Free pages that still hold memory.", func(s *allocator.Stats) uint64 { return s.RetainedBytes }),
	gauge("limit_bytes", "What in_use_bytes and retained_bytes may come to; 0: no limit.", func(s *allocator.Stats) uint64 { return s.LimitBytes }),
	gauge("huge_bytes", "Of the mapped arenas, on huge pages.", func(s *allocator.Stats) uint64 { return s.HugeBytes }),
	gauge("metadata_bytes", "Descriptors, tables and caches that are in use.", func(s *allocator.Stats) uint64 { return s.MetadataBytes }),
	gauge("live_blocks", "Blocks in the user's hands.", func(s *allocator.Stats) uint64 { return s.LiveBlocks }),
	gauge("cached_blocks", "Free blocks in magazines and depots.", func(s *allocator.Stats) uint64 { return s.CachedBlocks }),
	gauge("quarantined_blocks", "Freed blocks that audit mode holds back.", func(s *allocator.Stats) uint64 { return s.Quarantined }),
	gauge("withdrawn_blocks", "Blocks that were found damaged and are out of use. Anything but 0 is a bug to look for.", func(s *allocator.Stats) uint64 { return s.Withdrawn }),
	gauge("slabs", "Slabs.", func(s *allocator.Stats) uint64 { return s.Slabs }),
	gauge("spans", "Large allocations that are live.", func(s *allocator.Stats) uint64 { return s.Spans }),
	counter("allocs_total", "Blocks handed out so far, spans excepted.", func(s *allocator.Stats) uint64 { return s.Allocs }),
	counter("violations_total", "Broken rules that the heap met so far, faults on guard pages excepted. Anything but 0 is a bug to look for.", func(s *allocator.Stats) uint64 { return s.Violations }),
	counter("frees_total", "Blocks given back so far, spans excepted.", func(s *allocator.Stats) uint64 { return s.Frees }),
}

// Describe is for the registry.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range metrics {
		to <- m.description
	}
}

// Collect is for the registry, at each scrape.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	for _, h := range openheaps.Count(c.heaps...) {
		for _, m := range metrics {
			to <- prometheus.MustNewConstMetric(m.description, m.kind, float64(m.value(&h.Stats)), h.Name)
		}
	}
}
