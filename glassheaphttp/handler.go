// Package glassheaphttp answers questions about the heaps of this process over HTTP, beside net/http/pprof:
//
//	http.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", glassheaphttp.Handler()))
//
//	curl localhost:6060/debug/glassheap/                       which heaps there are, and what can be asked
//	curl localhost:6060/debug/glassheap/check?heap=sessions    is anything wrong? 500 if there is
//	go tool pprof http://localhost:6060/debug/glassheap/profile?heap=sessions
//
// The answers are those of the glassheap command, as text, or with ?json as JSON. They tell addresses and functions of the program, and
// check reads all of a heap: serve them where net/http/pprof may be served. It needs Linux; elsewhere every answer says so.
package glassheaphttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// Handler answers /, /check, /stats, /bins, /leaks and /profile. The query's heap chooses a heap by its name, or by its number
// ("%231" for #1), where there are several. It may serve several requests at the same time, while the heaps are used.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("GET /check", answering(check))
	mux.HandleFunc("GET /stats", answering(about((*inspect.Heap).Stats, render.Stats)))
	mux.HandleFunc("GET /bins", answering(about((*inspect.Heap).Bins, func(w io.Writer, r *inspect.BinsReport, s render.Style) error {
		return render.Bins(w, r, s, false)
	})))
	mux.HandleFunc("GET /leaks", answering(about(leaks, render.Leaks)))
	mux.HandleFunc("GET /profile", writeProfile)
	return mux
}

func index(w http.ResponseWriter, _ *http.Request) {
	heaps, err := target.FindHeaps(os.Getpid())
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", plainText)
	var names []string
	for _, h := range heaps {
		names = append(names, fmt.Sprintf("%q", h.Name))
	}
	fmt.Fprintf(w, `heaps of this process: %s

check    is anything wrong? The status is 500 if there is
stats    the heap in figures
bins     its size classes
leaks    live blocks by who allocated them
profile  the same for go tool pprof

?heap=NAME chooses a heap, ?json asks for JSON.
`, strings.Join(names, ", "))
}

const plainText = "text/plain; charset=utf-8"

// answer is what is told about a heap.
type answer struct {
	report any
	text   func(io.Writer, render.Style) error
	status int
}

// question puts a question to a heap of this process.
type question func(ctx context.Context, t target.Target, program *inspect.Program) (answer, error)

func check(ctx context.Context, t target.Target, program *inspect.Program) (answer, error) {
	r, err := inspect.Check(ctx, t, inspect.CheckOptions{Program: program})
	if err != nil {
		return answer{}, err
	}
	a := answer{r, func(w io.Writer, s render.Style) error { return render.Check(w, r, s) }, http.StatusOK}
	if !r.Healthy() {
		a.status = http.StatusInternalServerError
	}
	return a, nil
}

// about makes a question of what is asked of a decoded heap.
func about[R any](ask func(*inspect.Heap, context.Context) (R, error), text func(io.Writer, R, render.Style) error) question {
	return func(ctx context.Context, t target.Target, program *inspect.Program) (answer, error) {
		h, err := inspect.Open(ctx, t)
		if err != nil {
			return answer{}, err
		}
		h.SetProgram(program)
		r, err := ask(h, ctx)
		return answer{r, func(w io.Writer, s render.Style) error { return text(w, r, s) }, http.StatusOK}, err
	}
}

// mostGroups is how many groups of leaks are listed.
const mostGroups = 100

func leaks(h *inspect.Heap, ctx context.Context) (*inspect.LeaksReport, error) {
	return h.Leaks(ctx, inspect.LeakOptions{Top: mostGroups})
}

func answering(q question) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.FormValue("heap")
		a, err := ask(r.Context(), name, q)
		if err != nil {
			refuse(w, err)
			return
		}
		if r.Form.Has("json") {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(a.status)
			_ = json.NewEncoder(w).Encode(a.report) // whoever asked is gone
			return
		}
		w.Header().Set("Content-Type", plainText)
		w.WriteHeader(a.status)
		_ = a.text(w, render.Style{Target: fmt.Sprint(os.Getpid())})
	}
}

func writeProfile(w http.ResponseWriter, r *http.Request) {
	a, err := ask(r.Context(), r.FormValue("heap"), about(func(h *inspect.Heap, ctx context.Context) (*inspect.LeaksReport, error) {
		return h.Leaks(ctx, inspect.LeakOptions{})
	}, render.Leaks))
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="glassheap"`)
	_ = a.report.(*inspect.LeaksReport).Profile(w)
}

// ask opens the heap and puts the question.
func ask(ctx context.Context, heap string, q question) (answer, error) {
	t, err := target.Self(target.Options{Heap: heap})
	if err != nil {
		return answer{}, err
	}
	defer t.Close()
	program, err := inspect.ProgramOf(t, "")
	if err != nil {
		return answer{}, err
	}
	return q(ctx, t, program)
}

// refuse says why there is no answer.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, new(*target.AmbiguousError)), errors.As(err, new(*target.NoHeapError)):
		status = http.StatusNotFound
	case errors.As(err, new(*target.PlatformError)):
		status = http.StatusNotImplemented
	}
	http.Error(w, err.Error(), status)
}
