// Package glassheapotel gives OpenTelemetry what heaps count.
//
//	unregister, err := glassheapotel.Register(nil)                          every heap of the program, those made later too
//	unregister, err := glassheapotel.Register(provider, cache, sessions)    these
//
// The instruments are observable: what they tell is counted when a reader collects, by Stats of each heap, which takes the locks of its
// size classes one after the other: some microseconds, and the fast path of Alloc and Free takes none of them. Every measurement has
// the attribute glassheap.heap.name; of several open heaps with one name the second is NAME#2. A heap that is closed is no longer told.
//
//	glassheap.memory.reserved    By, up-down    address space for blocks
//	glassheap.memory.mapped      By, up-down    arenas that hold memory
//	glassheap.memory.used        By, up-down    pages of slabs, spans and their guard pages
//	glassheap.memory.retained    By, up-down    free pages that still hold memory
//	glassheap.memory.limit       By, up-down    what used and retained may come to; of heaps that have a limit
//	glassheap.memory.huge        By, up-down    of the mapped arenas, on huge pages
//	glassheap.memory.metadata    By, up-down    descriptors, tables and caches that are in use
//	glassheap.block.count        {block}, up-down, with the attribute glassheap.block.state: live, cached, quarantined or withdrawn
//	glassheap.block.allocations  {allocation}, counter    blocks handed out so far, spans excepted
//	glassheap.block.frees        {free}, counter          blocks given back so far, spans excepted
//	glassheap.violations         {violation}, counter     broken rules that the heap met so far, faults on guard pages excepted
//	glassheap.slab.count         {slab}, up-down
//	glassheap.span.count         {span}, up-down          large allocations that are live
//
// Blocks in the state withdrawn were found damaged. Anything but 0 of them, or of violations, is a bug to look for.
//
// It is a module of its own, so that programs without OpenTelemetry do not inherit it.
package glassheapotel

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/openheaps"
)

// ScopeName is the name of the meter, the instrumentation scope.
const ScopeName = "github.com/glassheap/glassheap/allocator/glassheapotel"

// The attributes of measurements.
const (
	HeapName   = attribute.Key("glassheap.heap.name")
	BlockState = attribute.Key("glassheap.block.state")
)

// figure is one measurement of allocator.Stats.
type figure struct {
	instrument string
	state      string // of blocks; empty: it has none
	optional   bool   // 0 says that there is none
	value      func(*allocator.Stats) uint64
}

// instrument is what several figures may belong to.
type instrument struct {
	name, unit, description string
	counter                 bool
}

var instruments = []instrument{
	{"glassheap.memory.reserved", "By", "Address space for blocks.", false},
	{"glassheap.memory.mapped", "By", "Arenas that hold memory.", false},
	{"glassheap.memory.used", "By", "Pages of slabs, spans and their guard pages.", false},
	{"glassheap.memory.retained", "By", "Free pages that still hold memory.", false},
	{"glassheap.memory.limit", "By", "What used and retained memory may come to, if there is a limit.", false},
	{"glassheap.memory.huge", "By", "Of the mapped arenas, on huge pages.", false},
	{"glassheap.memory.metadata", "By", "Descriptors, tables and caches that are in use.", false},
	{"glassheap.block.count", "{block}", "Blocks by state. Withdrawn ones were found damaged.", false},
	{"glassheap.block.allocations", "{allocation}", "Blocks handed out so far, spans excepted.", true},
	{"glassheap.block.frees", "{free}", "Blocks given back so far, spans excepted.", true},
	{"glassheap.violations", "{violation}", "Broken rules that the heap met so far, faults on guard pages excepted.", true},
	{"glassheap.slab.count", "{slab}", "Slabs.", false},
	{"glassheap.span.count", "{span}", "Large allocations that are live.", false},
}

var figures = []figure{
	{"glassheap.memory.reserved", "", false, func(s *allocator.Stats) uint64 { return s.ReserveBytes }},
	{"glassheap.memory.mapped", "", false, func(s *allocator.Stats) uint64 { return s.MappedBytes }},
	{"glassheap.memory.used", "", false, func(s *allocator.Stats) uint64 { return s.InUseBytes }},
	{"glassheap.memory.retained", "", false, func(s *allocator.Stats) uint64 { return s.RetainedBytes }},
	{"glassheap.memory.limit", "", true, func(s *allocator.Stats) uint64 { return s.LimitBytes }},
	{"glassheap.memory.huge", "", false, func(s *allocator.Stats) uint64 { return s.HugeBytes }},
	{"glassheap.memory.metadata", "", false, func(s *allocator.Stats) uint64 { return s.MetadataBytes }},
	{"glassheap.block.count", "live", false, func(s *allocator.Stats) uint64 { return s.LiveBlocks }},
	{"glassheap.block.count", "cached", false, func(s *allocator.Stats) uint64 { return s.CachedBlocks }},
	{"glassheap.block.count", "quarantined", false, func(s *allocator.Stats) uint64 { return s.Quarantined }},
	{"glassheap.block.count", "withdrawn", false, func(s *allocator.Stats) uint64 { return s.Withdrawn }},
	{"glassheap.block.allocations", "", false, func(s *allocator.Stats) uint64 { return s.Allocs }},
	{"glassheap.block.frees", "", false, func(s *allocator.Stats) uint64 { return s.Frees }},
	{"glassheap.violations", "", false, func(s *allocator.Stats) uint64 { return s.Violations }},
	{"glassheap.slab.count", "", false, func(s *allocator.Stats) uint64 { return s.Slabs }},
	{"glassheap.span.count", "", false, func(s *allocator.Stats) uint64 { return s.Spans }},
}

// Register has a meter of the provider, or of the global one where it is nil, tell the figures of these heaps, or without any, of all
// that the program has and will have. Register each heap once: two registrations with one provider add up. unregister ends it; called
// again it does nothing. The errors are the provider's.
func Register(provider metric.MeterProvider, heaps ...*allocator.Heap) (unregister func() error, err error) {
	if provider == nil {
		provider = otel.GetMeterProvider()
	}
	meter := provider.Meter(ScopeName)
	made := map[string]metric.Int64Observable{}
	var observed []metric.Observable
	for _, i := range instruments {
		o, problem := i.make(meter)
		if problem != nil {
			err = errors.Join(err, fmt.Errorf("glassheap: the instrument %s: %w", i.name, problem))
			continue
		}
		made[i.name] = o
		observed = append(observed, o)
	}
	if err != nil {
		return nil, err
	}
	registration, err := meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		for _, h := range openheaps.Count(heaps...) {
			observe(to, made, h)
		}
		return nil
	}, observed...)
	if err != nil {
		return nil, fmt.Errorf("glassheap: %w", err)
	}
	return registration.Unregister, nil
}

func (i instrument) make(meter metric.Meter) (metric.Int64Observable, error) {
	if i.counter {
		return meter.Int64ObservableCounter(i.name, metric.WithUnit(i.unit), metric.WithDescription(i.description))
	}
	return meter.Int64ObservableUpDownCounter(i.name, metric.WithUnit(i.unit), metric.WithDescription(i.description))
}

// observe tells all of a heap.
func observe(to metric.Observer, made map[string]metric.Int64Observable, h openheaps.Counted) {
	for _, f := range figures {
		value := f.value(&h.Stats)
		if f.optional && value == 0 {
			continue
		}
		attributes := []attribute.KeyValue{HeapName.String(h.Name)}
		if f.state != "" {
			attributes = append(attributes, BlockState.String(f.state))
		}
		to.ObserveInt64(made[f.instrument], int64(value), metric.WithAttributes(attributes...))
	}
}
