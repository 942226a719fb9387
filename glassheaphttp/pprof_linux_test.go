package glassheaphttp

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

//go:noinline
func planted(t *testing.T, h *allocator.Heap, blocks, size int) {
	for range blocks {
		_, err := h.Alloc(size)
		require.NoError(t, err)
	}
}

// TestPprofReadsTheProfile: go tool pprof asks the running program for it, as its user does.
func TestPprofReadsTheProfile(t *testing.T) {
	h := heap(t, "sessions", allocator.ModeAudit)
	planted(t, h, 30, 1000)
	mux := http.NewServeMux()
	mux.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", Handler()))
	server := httptest.NewServer(mux)
	defer server.Close()
	for index, want := range map[string]string{"live_blocks": `30\s+100%`, "live_bytes": `(29\.30kB|30000B)\s+100%`} {
		command := exec.Command("go", "tool", "pprof", "-top", "-sample_index="+index, server.URL+"/debug/glassheap/profile?heap=sessions")
		command.Env = append(os.Environ(), "PPROF_TMPDIR="+t.TempDir(), "NO_PROXY=127.0.0.1")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Regexp(t, `(?m)^\s*`+want+`.*glassheaphttp\.planted`, string(out))
	}
}
