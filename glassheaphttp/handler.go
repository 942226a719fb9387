// Package glassheaphttp answers questions about the heaps of this process over HTTP, beside net/http/pprof:
//
//	http.Handle("/debug/glassheap/", http.StripPrefix("/debug/glassheap", glassheaphttp.Handler()))
//
//	curl localhost:6060/debug/glassheap/                       which heaps there are, and what can be asked
//	curl localhost:6060/debug/glassheap/check?heap=sessions    is anything wrong? 500 if there is
//	curl -G localhost:6060/debug/glassheap/blocks -d heap=sessions --data-urlencode 'where=size > 4096 && site contains "cache"'
//	go tool pprof http://localhost:6060/debug/glassheap/profile?heap=sessions
//
// The answers are those of the glassheap command, as text, or with ?json as JSON; to a browser the first is a page with links. They tell
// addresses and functions of the program, and of what it keeps in its blocks the bytes around damage; check reads all of a heap. So serve
// them where net/http/pprof may be served. It needs Linux; elsewhere every answer says so.
package glassheaphttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// Handler answers /, and below it check, stats, bins, blocks, log, leaks, whatis and profile. The query's heap chooses a heap by its
// name, or by its number ("%231" for #1), where there are several. blocks and log take where, sort, columns and limit, as the command's
// flags of these names (`glassheap help columns`); limit is 1000 and 100 unless it is given, and 0 lists all. whatis takes an
// address. Status 400 says what it is that was asked wrongly, 404 that there is no such heap, 500 of check that something is wrong.
// It may serve several requests at the same time, while the heaps are used.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	for _, a := range answers {
		mux.HandleFunc("GET /"+a.name, a.serve)
	}
	return mux
}

const plainText = "text/plain; charset=utf-8"

// answer is what is told about a heap. It is written while the heap is open: lists are read while they are written.
type answer struct {
	json   func(io.Writer) error
	text   func(io.Writer, render.Style) error
	status int
}

// question puts a question, with what the request says more exactly, to a heap of this process.
type question func(r *http.Request, t target.Target, program *inspect.Program) (answer, error)

// reported is the answer with a report.
func reported[R any](r R, text func(io.Writer, R, render.Style) error) answer {
	return answer{
		json: func(w io.Writer) error { return json.NewEncoder(w).Encode(r) },
		text: func(w io.Writer, s render.Style) error { return text(w, r, s) }, status: http.StatusOK,
	}
}

func check(request *http.Request, t target.Target, program *inspect.Program) (answer, error) {
	r, err := inspect.Check(request.Context(), t, inspect.CheckOptions{Program: program})
	if err != nil {
		return answer{}, err
	}
	a := reported(r, render.Check)
	if !r.Healthy() {
		a.status = http.StatusInternalServerError
	}
	return a, nil
}

// decoded makes a question of what is asked of a decoded heap.
func decoded(ask func(*inspect.Heap, *http.Request) (answer, error)) question {
	return func(r *http.Request, t target.Target, program *inspect.Program) (answer, error) {
		h, err := inspect.Open(r.Context(), t)
		if err != nil {
			return answer{}, err
		}
		h.SetProgram(program)
		return ask(h, r)
	}
}

// about makes a question of what is asked of a decoded heap and needs no more words.
func about[R any](ask func(*inspect.Heap, context.Context) (R, error), text func(io.Writer, R, render.Style) error) question {
	return decoded(func(h *inspect.Heap, request *http.Request) (answer, error) {
		r, err := ask(h, request.Context())
		return reported(r, text), err
	})
}

// mostGroups is how many groups of leaks are listed.
const mostGroups = 100

func leaks(h *inspect.Heap, ctx context.Context) (*inspect.LeaksReport, error) {
	return h.Leaks(ctx, inspect.LeakOptions{Top: mostGroups})
}

func bins(w io.Writer, r *inspect.BinsReport, s render.Style) error {
	return render.Bins(w, r, s, false)
}

func answering(q question) http.HandlerFunc {
	return opening(q, func(w http.ResponseWriter, r *http.Request, a answer) {
		out := &begun{ResponseWriter: w, status: a.status}
		var err error
		if r.Form.Has("json") {
			w.Header().Set("Content-Type", "application/json")
			err = a.json(out)
		} else {
			w.Header().Set("Content-Type", plainText)
			err = a.text(out, render.Style{Target: fmt.Sprint(os.Getpid())})
		}
		switch {
		case err == nil:
		case out.wrote:
			panic(http.ErrAbortHandler) // whoever asked is gone, or must see that the answer is not whole
		default:
			refuse(w, err)
		}
	})
}

// begun is an answer that is being written: until the first byte it can still be refused.
type begun struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (b *begun) Write(p []byte) (int, error) {
	if !b.wrote {
		b.wrote = true
		b.WriteHeader(b.status)
	}
	return b.ResponseWriter.Write(p)
}

// opening opens the heap that a request names, puts the question, and has the answer written.
func opening(q question, write func(http.ResponseWriter, *http.Request, answer)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		t, err := target.Self(target.Options{Heap: r.FormValue("heap")})
		if err != nil {
			refuse(w, err)
			return
		}
		defer t.Close()
		program, err := inspect.ProgramOf(t, "")
		if err != nil {
			refuse(w, err)
			return
		}
		a, err := q(r, t, program)
		if err != nil {
			refuse(w, err)
			return
		}
		write(w, r, a)
	}
}

// refuse says why there is no answer.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.As(err, new(*target.AmbiguousError)), errors.As(err, new(*target.NoHeapError)):
		status = http.StatusNotFound
	case errors.As(err, new(*target.PlatformError)):
		status = http.StatusNotImplemented
	case errors.As(err, new(*wordsError)):
		status = http.StatusBadRequest
	}
	http.Error(w, err.Error(), status)
}
