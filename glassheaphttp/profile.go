package glassheaphttp

import (
	"io"
	"net/http"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// writeProfile answers for go tool pprof.
func writeProfile(w http.ResponseWriter, r *http.Request) {
	opening(decoded(everyLeak), func(w http.ResponseWriter, _ *http.Request, a answer) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Disposition", `attachment; filename="glassheap"`)
		_ = a.text(w, render.Style{}) // whoever asked is gone
	})(w, r)
}

func everyLeak(h *inspect.Heap, request *http.Request) (answer, error) {
	r, err := h.Leaks(request.Context(), inspect.LeakOptions{})
	return answer{text: func(w io.Writer, _ render.Style) error { return r.Profile(w) }}, err
}
