package glassheapotel

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/openheaps"
)

func heap(t *testing.T, o allocator.Options) *allocator.Heap {
	t.Helper()
	o.ReserveBytes = 64 << 20
	h, err := allocator.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// used allocates blocks of several sizes and a span, and frees some blocks.
func used(t *testing.T, h *allocator.Heap) {
	t.Helper()
	var live [][]byte
	for n := range 1000 {
		b, err := h.Alloc(1 + n*7)
		require.NoError(t, err)
		live = append(live, b)
	}
	_, err := h.Alloc(100_000)
	require.NoError(t, err)
	for _, b := range live[:600] {
		require.NoError(t, h.Free(b))
	}
}

// expected is what is to be told of a heap: by instrument, and behind a blank by state.
func expected(s allocator.Stats) map[string]int64 {
	m := map[string]int64{}
	for name, value := range map[string]uint64{
		"glassheap.memory.reserved": s.ReserveBytes, "glassheap.memory.mapped": s.MappedBytes, "glassheap.memory.used": s.InUseBytes,
		"glassheap.memory.retained": s.RetainedBytes, "glassheap.memory.limit": s.LimitBytes, "glassheap.memory.huge": s.HugeBytes,
		"glassheap.memory.metadata": s.MetadataBytes, "glassheap.block.count live": s.LiveBlocks, "glassheap.block.count cached": s.CachedBlocks,
		"glassheap.block.count quarantined": s.Quarantined, "glassheap.block.count withdrawn": s.Withdrawn,
		"glassheap.block.allocations": s.Allocs, "glassheap.block.frees": s.Frees, "glassheap.slab.count": s.Slabs, "glassheap.span.count": s.Spans, "glassheap.violations": s.Violations,
	} {
		m[name] = int64(value)
	}
	if s.LimitBytes == 0 {
		delete(m, "glassheap.memory.limit")
	}
	return m
}

// collected is what a reader tells of each heap, as expected has it.
func collected(t *testing.T, reader sdk.Reader) map[string]map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))
	heaps := map[string]map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		require.Equal(t, ScopeName, scope.Scope.Name)
		for _, m := range scope.Metrics {
			sum := m.Data.(metricdata.Sum[int64])
			counter := m.Name == "glassheap.block.allocations" || m.Name == "glassheap.block.frees" || m.Name == "glassheap.violations"
			require.Equal(t, counter, sum.IsMonotonic, m.Name)
			require.NotEmpty(t, m.Unit, m.Name)
			require.NotEmpty(t, m.Description, m.Name)
			for _, point := range sum.DataPoints {
				name, ok := point.Attributes.Value(HeapName)
				require.True(t, ok)
				what := m.Name
				if state, ok := point.Attributes.Value(BlockState); ok {
					what += " " + state.AsString()
				}
				if heaps[name.AsString()] == nil {
					heaps[name.AsString()] = map[string]int64{}
				}
				require.NotContains(t, heaps[name.AsString()], what, "it is told twice")
				heaps[name.AsString()][what] = point.Value
			}
		}
	}
	return heaps
}

// TestReader: what the SDK's reader is told are the heaps' figures, of those that are chosen and open.
func TestReader(t *testing.T) {
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	sessions := heap(t, allocator.Options{Name: "sessions", LimitBytes: 32 << 20})
	audited := heap(t, allocator.Options{Name: "audited", Mode: allocator.ModeAudit})
	_ = heap(t, allocator.Options{Name: "left out"})
	used(t, sessions)
	used(t, audited)
	unregister, err := Register(provider, sessions, audited)
	require.NoError(t, err)

	told := collected(t, reader)
	require.Equal(t, map[string]map[string]int64{"sessions": expected(sessions.Stats()), "audited": expected(audited.Stats())}, told)
	require.EqualValues(t, 401, told["sessions"]["glassheap.block.count live"])
	require.EqualValues(t, 600, told["audited"]["glassheap.block.count quarantined"])
	require.EqualValues(t, 32<<20, told["sessions"]["glassheap.memory.limit"])
	require.NotContains(t, told["audited"], "glassheap.memory.limit", "it has none")

	_ = sessions.Close()
	require.Equal(t, map[string]map[string]int64{"audited": expected(audited.Stats())}, collected(t, reader))
	require.NoError(t, unregister())
	require.Empty(t, collected(t, reader))
	require.NoError(t, unregister())
}

// TestEveryHeap: without any given it is all, through the global provider where none is given.
func TestEveryHeap(t *testing.T) {
	reader := sdk.NewManualReader()
	before := otel.GetMeterProvider()
	otel.SetMeterProvider(sdk.NewMeterProvider(sdk.WithReader(reader)))
	defer otel.SetMeterProvider(before)
	unregister, err := Register(nil)
	require.NoError(t, err)
	defer unregister()
	require.Empty(t, collected(t, reader))
	first, second := heap(t, allocator.Options{Name: "rows"}), heap(t, allocator.Options{Name: "rows"})
	used(t, second)
	require.Equal(t, map[string]map[string]int64{"rows": expected(first.Stats()), "rows#2": expected(second.Stats())}, collected(t, reader))
}

// recorded is an observer that keeps the values.
type recorded struct {
	noop.Observer
	values map[int64]bool
}

func (r recorded) ObserveInt64(_ metric.Int64Observable, value int64, _ ...metric.ObserveOption) {
	r.values[value] = true
}

// TestNothingIsForgotten: every count of allocator.Stats is told, but for what says why there is less than was asked for.
func TestNothingIsForgotten(t *testing.T) {
	var h openheaps.Counted
	stats := reflect.ValueOf(&h.Stats).Elem()
	for i := range stats.NumField() {
		if f := stats.Field(i); f.Kind() == reflect.Uint64 {
			f.SetUint(uint64(1000 + i))
		}
	}
	r := recorded{values: map[int64]bool{}}
	observe(r, map[string]metric.Int64Observable{}, h)
	for i := range stats.NumField() {
		switch name := stats.Type().Field(i).Name; name {
		case "Mode", "ReserveShortage", "HugeRefused", "GuardsLost":
		default:
			require.Contains(t, r.values, int64(1000+i), name)
		}
	}
}

// refusing is a provider whose meter makes no counters.
type refusing struct{ noop.MeterProvider }

type refusingMeter struct{ noop.Meter }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

var errRefused = errors.New("no more instruments")

func (refusingMeter) Int64ObservableCounter(string, ...metric.Int64ObservableCounterOption) (metric.Int64ObservableCounter, error) {
	return nil, errRefused
}

func TestRefusals(t *testing.T) {
	unregister, err := Register(refusing{})
	require.Nil(t, unregister)
	require.ErrorIs(t, err, errRefused)
	require.ErrorContains(t, err, "glassheap.block.allocations")
	require.ErrorContains(t, err, "glassheap.block.frees")
}

// TestPrometheus: through OpenTelemetry's exporter and over HTTP, read by Prometheus' own parser.
func TestPrometheus(t *testing.T) {
	h := heap(t, allocator.Options{Name: "sessions", LimitBytes: 32 << 20})
	used(t, h)
	registry := prometheus.NewPedanticRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry))
	require.NoError(t, err)
	_, err = Register(sdk.NewMeterProvider(sdk.WithReader(reader)), h)
	require.NoError(t, err)
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.Reader(answer.Body))
	require.NoError(t, err)

	s := h.Stats()
	for name, expected := range map[string]uint64{
		"glassheap_memory_used_bytes": s.InUseBytes, "glassheap_memory_limit_bytes": 32 << 20, "glassheap_block_allocations_total": 1000,
		"glassheap_block_frees_total": 600, "glassheap_slab_count": s.Slabs, "glassheap_span_count": 1,
	} {
		require.Contains(t, families, name)
		m := families[name].GetMetric()
		require.Len(t, m, 1)
		require.EqualValues(t, expected, m[0].GetGauge().GetValue()+m[0].GetCounter().GetValue(), name)
		require.Equal(t, "sessions", label(m[0], HeapName))
	}
	blocks := map[string]float64{}
	for _, m := range families["glassheap_block_count"].GetMetric() {
		blocks[label(m, BlockState)] = m.GetGauge().GetValue()
	}
	require.Equal(t, map[string]float64{"live": 401, "cached": float64(s.CachedBlocks), "quarantined": 0, "withdrawn": 0}, blocks)
}

// label is an attribute of a metric, as the exporter names it.
func label(m *dto.Metric, key attribute.Key) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == map[attribute.Key]string{HeapName: "glassheap_heap_name", BlockState: "glassheap_block_state"}[key] {
			return l.GetValue()
		}
	}
	return ""
}
