package glassheapexpvar

import (
	"encoding/json"
	"expvar"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"reflect"
	"sync"
	"syscall"
	"testing"

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

// scrape reads the variable over HTTP, from the page that package expvar serves.
func scrape(t *testing.T) map[string]map[string]any {
	t.Helper()
	server := httptest.NewServer(http.DefaultServeMux)
	defer server.Close()
	answer, err := server.Client().Get(server.URL + "/debug/vars")
	require.NoError(t, err)
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	var variables struct {
		Glassheap map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(page, &variables), "%s", page)
	return variables.Glassheap
}

// TestVariables: what /debug/vars shows are the figures of the heaps that are open at that moment.
func TestVariables(t *testing.T) {
	require.NoError(t, Publish())
	require.NoError(t, Publish(), "a second time does no harm")
	sessions := heap(t, allocator.Options{Name: "sessions", Mode: allocator.ModeAudit, LimitBytes: 32 << 20})
	for n := range 10 {
		b, err := sessions.Alloc(100)
		require.NoError(t, err)
		if n < 4 {
			require.NoError(t, sessions.Free(b))
		}
	}
	told := scrape(t)
	require.Len(t, told, 1)
	s := sessions.Stats()
	for name, expected := range map[string]any{
		"mode": "audit", "live_blocks": 6.0, "quarantined_blocks": 4.0, "allocs": 10.0, "frees": 4.0, "limit_bytes": float64(32 << 20),
		"in_use_bytes": float64(s.InUseBytes), "metadata_bytes": float64(s.MetadataBytes), "withdrawn_blocks": 0.0, "huge_refused": "",
	} {
		require.Equal(t, expected, told["sessions"][name], name)
	}

	second := heap(t, allocator.Options{Name: "sessions"})
	require.Equal(t, "sealed", scrape(t)["sessions#2"]["mode"])
	require.NoError(t, second.Close())
	require.Len(t, scrape(t), 1)
}

// TestMembers: names and their order are what dashboards rely on, and each figure has the name that is its own.
func TestMembers(t *testing.T) {
	var s allocator.Stats
	value := reflect.ValueOf(&s).Elem()
	for i := range value.NumField() {
		if f := value.Field(i); f.Kind() == reflect.Uint64 {
			f.SetUint(uint64(100 + i))
		}
	}
	s.Mode, s.HugeRefused = allocator.ModeSealed, syscall.ENOMEM
	text, err := json.Marshal(figuresOf(&s))
	require.NoError(t, err)
	require.Equal(t, value.NumField(), reflect.TypeFor[figures]().NumField(), "a figure of allocator.Stats is not told")
	require.Equal(t, `{"mode":"sealed","reserve_bytes":101,"reserve_shortage_bytes":102,"mapped_bytes":103,"in_use_bytes":104,"retained_bytes":105,`+
		`"limit_bytes":106,"huge_bytes":107,"huge_refused":"cannot allocate memory","metadata_bytes":109,"allocs":110,"frees":111,"live_blocks":112,`+
		`"cached_blocks":113,"quarantined_blocks":114,"slabs":115,"spans":116,"withdrawn_blocks":117,"violations":118,"guard_pages_refused":119}`, string(text))
}

// TestPublishByMany: whoever comes first publishes it, and nobody ends the program.
func TestPublishByMany(t *testing.T) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 64 {
		all.Go(func() {
			<-start
			if err := Publish(); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	require.Equal(t, Var{}, expvar.Get(Name))
}

// TestTheNameIsTaken, in a process of its own: a variable can't be taken back.
func TestTheNameIsTaken(t *testing.T) {
	if os.Getenv("GLASSHEAP_TEST_TAKEN") == "" {
		c := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
		c.Env = append(os.Environ(), "GLASSHEAP_TEST_TAKEN=1")
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	expvar.NewInt(Name)
	require.EqualError(t, Publish(), `glassheap: the expvar variable "glassheap" is published already, as a *expvar.Int: publish glassheapexpvar.Var{} under another name`)
	expvar.Publish("offheap", Var{})
	require.Equal(t, "{}", expvar.Get("offheap").String())
}
