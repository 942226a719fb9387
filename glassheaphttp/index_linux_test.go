package glassheaphttp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// TestIndexPage follows every link that a browser is shown.
func TestIndexPage(t *testing.T) {
	first, _ := heap(t, "rows", allocator.ModeAudit), heap(t, "rows", allocator.ModeSealed)
	_ = heap(t, `<b>&"sessions"`, allocator.ModeSealed)
	_, err := first.Alloc(100)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", Handler()))
	server := httptest.NewServer(mux)
	defer server.Close()
	visit := func(url string) (body, kind string) {
		request, err := http.NewRequest("GET", url, nil)
		require.NoError(t, err)
		request.Header.Set("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
		answer, err := server.Client().Do(request)
		require.NoError(t, err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode, "%s: %s", url, text)
		return string(text), answer.Header.Get("Content-Type")
	}
	page, kind := visit(server.URL + "/debug/glassheap/")
	require.Equal(t, "text/html; charset=utf-8", kind)
	require.NotContains(t, page, "<b>", "a heap's name is no HTML")
	links := regexp.MustCompile(`href="([^"]+)"`).FindAllStringSubmatch(page, -1)
	require.Len(t, links, 3*7, "three heaps, and all answers but whatis, which takes an address")
	seen := map[string]bool{}
	for _, link := range links {
		require.False(t, seen[link[1]], "two links lead to %s", link[1])
		seen[link[1]] = true
		visit(server.URL + "/debug/glassheap/" + link[1])
	}
}
