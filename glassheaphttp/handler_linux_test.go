package glassheaphttp

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"unsafe"

	"github.com/google/pprof/profile"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/inspect"
)

func heap(t *testing.T, name string, mode allocator.Mode) *allocator.Heap {
	t.Helper()
	h, err := allocator.New(allocator.Options{Name: name, Mode: mode, ReserveBytes: 64 << 20, Policy: allocator.PolicyReport})
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// get asks over a real connection.
func get(t *testing.T, path string, status int) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", Handler()))
	server := httptest.NewServer(mux)
	defer server.Close()
	answer, err := server.Client().Get(server.URL + "/debug/glassheap/" + path)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, status, answer.StatusCode, "%s", text)
	return string(text)
}

// TestHandler asks everything of two heaps, of which one is damaged then.
func TestHandler(t *testing.T) {
	require.Contains(t, get(t, "check", http.StatusNotFound), "has no glassheap heap")
	sessions, rows := heap(t, "sessions", allocator.ModeAudit), heap(t, "rows", allocator.ModeSealed)
	b, err := sessions.Alloc(123)
	require.NoError(t, err)
	_, err = rows.Alloc(40)
	require.NoError(t, err)

	index := get(t, "", http.StatusOK)
	require.Contains(t, index, `"sessions"`)
	require.Contains(t, index, `"rows"`)
	require.Contains(t, get(t, "check", http.StatusNotFound), "sessions", "which one?")
	require.Contains(t, get(t, "check?heap=nobody", http.StatusNotFound), "nobody")
	get(t, "nothing", http.StatusNotFound)

	require.Contains(t, get(t, "check?heap=sessions", http.StatusOK), "healthy.")
	require.Contains(t, get(t, "stats?heap=rows", http.StatusOK), `heap "rows"`)
	require.Contains(t, get(t, "bins?heap=rows", http.StatusOK), "bin  size")
	require.Contains(t, get(t, "leaks?heap=sessions", http.StatusOK), "glassheaphttp.TestHandler")
	var leaks inspect.LeaksReport
	require.NoError(t, json.Unmarshal([]byte(get(t, "leaks?heap=sessions&json", http.StatusOK)), &leaks))
	require.Len(t, leaks.Groups, 1)
	require.EqualValues(t, 123, leaks.Groups[0].Bytes)

	p, err := profile.ParseData([]byte(get(t, "profile?heap=sessions", http.StatusOK)))
	require.NoError(t, err)
	require.Equal(t, []int64{1, 123}, p.Sample[0].Value)
	require.Equal(t, "github.com/glassheap/glassheap/glassheaphttp.TestHandler", p.Sample[0].Location[0].Line[0].Function.Name)

	past := (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b)))
	*past ^= 1
	require.Contains(t, get(t, "check?heap=sessions", http.StatusInternalServerError), "overflow by 1 byte, past a live block of 123")
	var report inspect.CheckReport
	require.NoError(t, json.Unmarshal([]byte(get(t, "check?heap=sessions&json", http.StatusInternalServerError)), &report))
	require.Len(t, report.Findings, 1)
	require.Contains(t, get(t, "check?heap=rows", http.StatusOK), "healthy.")
	*past ^= 1
}
