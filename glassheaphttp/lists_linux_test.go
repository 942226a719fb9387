package glassheaphttp

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
)

// rows asks for a list as JSON.
func rows(t *testing.T, list, words string) []map[string]any {
	t.Helper()
	var answer map[string]json.RawMessage
	text := get(t, list+"?json&"+words, http.StatusOK)
	require.NoError(t, json.Unmarshal([]byte(text), &answer), "%s", text)
	var rows []map[string]any
	require.NoError(t, json.Unmarshal(answer[map[string]string{"blocks": "blocks", "log": "operations"}[list]], &rows), "%s", text)
	return rows
}

// TestLists: blocks and the log, with the words of the command.
func TestLists(t *testing.T) {
	h := heap(t, "sessions", allocator.ModeAudit)
	var live [][]byte
	for n := range 1200 {
		b, err := h.Alloc(1 + n%100)
		require.NoError(t, err)
		live = append(live, b)
	}
	for _, b := range live[:50] {
		require.NoError(t, h.Free(b))
	}
	where := func(text string) string { return "where=" + url.QueryEscape(text) }

	require.Len(t, rows(t, "blocks", where(`state == "live"`)+"&limit=0"), 1150)
	require.Len(t, rows(t, "blocks", where(`state == "live"`)), 1000, "the limit where none is given")
	sorted := rows(t, "blocks", where(`state == "live" && size > 90 && site contains "TestLists"`)+"&sort=-size&columns=size,site&limit=3")
	require.Equal(t, []map[string]any{
		{"size": 100.0, "site": "github.com/glassheap/glassheap/glassheaphttp.TestLists"}, {"size": 100.0, "site": "github.com/glassheap/glassheap/glassheaphttp.TestLists"},
		{"size": 100.0, "site": "github.com/glassheap/glassheap/glassheaphttp.TestLists"},
	}, sorted)
	text := get(t, "blocks?limit=2", http.StatusOK)
	require.Contains(t, text, `heap "sessions"`)
	require.Contains(t, text, "more match and are beyond the limit")

	require.Len(t, rows(t, "log", where(`kind == "free"`)+"&limit=0"), 50)
	require.Len(t, rows(t, "log", ""), 100, "the limit where none is given")
	require.Contains(t, get(t, "log?limit=2", http.StatusOK), "beyond the limit")

	about := fmt.Sprintf("address=%p", unsafe.Add(unsafe.Pointer(unsafe.SliceData(live[99])), 3))
	require.Contains(t, get(t, "whatis?"+about, http.StatusOK), "is 3 bytes into a live block of 100 bytes")
}

// TestWordsThatAreNotUnderstood: the answer says which, as they are called in a request.
func TestWordsThatAreNotUnderstood(t *testing.T) {
	h := heap(t, "sessions", allocator.ModeAudit)
	_, err := h.Alloc(10)
	require.NoError(t, err)
	for path, says := range map[string]string{
		"blocks?where=siez+%3D%3D+3":                "where: ",
		"blocks?sort=nothing":                       "sort: ",
		"log?columns=nothing":                       "columns: ",
		"blocks?limit=some":                         `limit: write a number of rows, or 0 for all, not "some"`,
		"log?limit=-1":                              "limit: ",
		"whatis":                                    `address: "" is none`,
		"whatis?address=here":                       `address: "here" is none`,
		"blocks?where=" + strings.Repeat("(", 9000): "where: ",
	} {
		text := get(t, path, http.StatusBadRequest)
		require.True(t, strings.HasPrefix(text, says), "%s: %s", path, text)
		require.NotContains(t, text, "--")
	}
}
