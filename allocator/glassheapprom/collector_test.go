package glassheapprom

import (
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

func heap(t *testing.T, o allocator.Options) *allocator.Heap {
	t.Helper()
	o.ReserveBytes = 64 << 20
	h, err := allocator.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// TestScrape: what a scrape over HTTP tells, read by Prometheus' own parser, are the heaps' figures.
func TestScrape(t *testing.T) {
	sessions := heap(t, allocator.Options{Name: "sessions", LimitBytes: 32 << 20})
	audited := heap(t, allocator.Options{Name: "audited", Mode: allocator.ModeAudit})
	for _, h := range []*allocator.Heap{sessions, audited} {
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
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(New(sessions, audited)))
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(recorder.Body)
	require.NoError(t, err)
	require.Len(t, families, len(metrics))

	told := func(name, heap string) float64 {
		for _, m := range families["glassheap_"+name].GetMetric() {
			if m.GetLabel()[0].GetValue() == heap {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		t.Fatalf("nothing is told of %s of %s", name, heap)
		return 0
	}
	for name, h := range map[string]*allocator.Heap{"sessions": sessions, "audited": audited} {
		s := h.Stats()
		for metric, expected := range map[string]uint64{
			"reserve_bytes": s.ReserveBytes, "mapped_bytes": s.MappedBytes, "in_use_bytes": s.InUseBytes, "retained_bytes": s.RetainedBytes,
			"limit_bytes": s.LimitBytes, "huge_bytes": s.HugeBytes, "metadata_bytes": s.MetadataBytes, "live_blocks": s.LiveBlocks,
			"cached_blocks": s.CachedBlocks, "quarantined_blocks": s.Quarantined, "withdrawn_blocks": s.Withdrawn,
			"slabs": s.Slabs, "spans": s.Spans, "allocs_total": s.Allocs, "frees_total": s.Frees,
		} {
			require.EqualValues(t, expected, told(metric, name), "%s of %s", metric, name)
		}
	}
	require.EqualValues(t, 401, told("live_blocks", "sessions"))
	require.EqualValues(t, 600, told("quarantined_blocks", "audited"))
	require.EqualValues(t, 1000, told("allocs_total", "sessions"))
	require.EqualValues(t, 32<<20, told("limit_bytes", "sessions"))
}

// TestNamesAreAsPrometheusAdvises.
func TestNamesAreAsPrometheusAdvises(t *testing.T) {
	problems, err := testutil.CollectAndLint(New(heap(t, allocator.Options{})))
	require.NoError(t, err)
	require.Empty(t, problems)
}
