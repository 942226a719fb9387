package glassheapprom

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
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

// scrape asks a collector over a real connection, holds the answer against what promtool check metrics advises, and has
// Prometheus' own parser read it.
func scrape(t *testing.T, c *Collector) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(c))
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(t, err)
	return families
}

// TestScrape: what a scrape over HTTP tells, read by Prometheus' own parser, are the heaps' figures.
func TestScrape(t *testing.T) {
	sessions := heap(t, allocator.Options{Name: "sessions", LimitBytes: 32 << 20, OnViolation: func(*allocator.Violation) {}})
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
	_ = sessions.Free(make([]byte, 8))
	families := scrape(t, New(sessions, audited))
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
			"slabs": s.Slabs, "spans": s.Spans, "allocs_total": s.Allocs, "frees_total": s.Frees, "violations_total": s.Violations,
		} {
			require.EqualValues(t, expected, told(metric, name), "%s of %s", metric, name)
		}
	}
	require.EqualValues(t, 401, told("live_blocks", "sessions"))
	require.EqualValues(t, 600, told("quarantined_blocks", "audited"))
	require.EqualValues(t, 1, told("violations_total", "sessions"))
	require.EqualValues(t, 1000, told("allocs_total", "sessions"))
	require.EqualValues(t, 32<<20, told("limit_bytes", "sessions"))
}

// heapsOf are the names of the heaps that a scrape tells of.
func heapsOf(families map[string]*dto.MetricFamily) (names []string) {
	for _, m := range families["glassheap_live_blocks"].GetMetric() {
		names = append(names, m.GetLabel()[0].GetValue())
	}
	return names
}

// TestEveryHeap: without any given, it is all that are open at the scrape; a heap that is closed is no longer told.
func TestEveryHeap(t *testing.T) {
	every := New()
	require.Empty(t, scrape(t, every))
	first := heap(t, allocator.Options{Name: "rows"})
	chosen := New(first)
	second := heap(t, allocator.Options{Name: "rows"})
	_ = heap(t, allocator.Options{Name: "cache"})
	require.Equal(t, []string{"cache", "rows", "rows#2"}, heapsOf(scrape(t, every)), "a registry sorts by label")
	require.Equal(t, []string{"rows"}, heapsOf(scrape(t, chosen)))
	require.NoError(t, first.Close())
	require.Empty(t, scrape(t, chosen))
	require.Equal(t, []string{"cache", "rows#2"}, heapsOf(scrape(t, every)))
	require.NoError(t, second.Close())
	require.Equal(t, []string{"cache"}, heapsOf(scrape(t, every)))
}
