package glassheaphttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/query"
	"github.com/glassheap/glassheap/inspect/render"
)

// How many rows a list has unless the request says it.
const (
	mostBlocks = 1000
	mostEvents = 100
)

// wordsError says which word of a request nobody understands.
type wordsError struct{ err error }

func (e *wordsError) Error() string { return e.err.Error() }
func (e *wordsError) Unwrap() error { return e.err }

// understood is the query of a list's request. The error is a *wordsError.
func understood[R any](columns *query.Set[R], form url.Values, limit int) (*query.Query[R], error) {
	if text := form.Get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 0 {
			return nil, &wordsError{fmt.Errorf("limit: write a number of rows, or 0 for all, not %q", text)}
		}
	}
	q, err := columns.Parse(query.Words{Where: form.Get("where"), Sort: form.Get("sort"), Columns: form.Get("columns"), Limit: limit})
	if err != nil {
		return nil, asked(err)
	}
	return q, nil
}

// asked makes an error about an expression one of the request: its flags are parameters here.
func asked(err error) error {
	if wrong, ok := errors.AsType[*query.Error](err); ok {
		parameter := *wrong
		parameter.Flag = strings.TrimPrefix(wrong.Flag, "--")
		return &wordsError{&parameter}
	}
	return err
}

// listed is the answer with a list, which is read while it is written.
func listed(l *inspect.Listing) answer {
	return answer{
		json: func(w io.Writer) error { return asked(render.ListJSON(w, l)) },
		text: func(w io.Writer, s render.Style) error { return asked(render.List(w, l, s)) }, status: http.StatusOK,
	}
}

func listBlocks(h *inspect.Heap, r *http.Request) (answer, error) {
	q, err := understood(&inspect.BlockColumns, r.Form, mostBlocks)
	if err != nil {
		return answer{}, err
	}
	l, err := h.ListBlocks(r.Context(), inspect.BlockOptions{}, q)
	if err != nil {
		return answer{}, asked(err)
	}
	return listed(l), nil
}

func listLog(h *inspect.Heap, r *http.Request) (answer, error) {
	q, err := understood(&inspect.LogColumns, r.Form, mostEvents)
	if err != nil {
		return answer{}, err
	}
	// The log is read for all that is listed of it, and the list says what is beyond its limit.
	every, err := inspect.LogColumns.Parse(query.Words{Where: r.Form.Get("where"), Sort: r.Form.Get("sort"), Columns: r.Form.Get("columns")})
	if err != nil {
		return answer{}, asked(err)
	}
	log, err := h.Log(inspect.LogOptions{Query: every})
	if err != nil {
		return answer{}, asked(err)
	}
	return listed(inspect.ListOf(log.Heap, q, log.Events, log.Notes)), nil
}

func whatis(h *inspect.Heap, r *http.Request) (answer, error) {
	text := r.Form.Get("address")
	address, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return answer{}, &wordsError{fmt.Errorf("address: %q is none: write it in hexadecimal, like 0x7f68f6eb2a40", text)}
	}
	report, err := h.Whatis(address)
	return reported(report, render.Whatis), err
}

func heapStats(h *inspect.Heap, ctx context.Context) (*inspect.StatsReport, error) {
	return h.Stats(ctx)
}

func heapBins(h *inspect.Heap, ctx context.Context) (*inspect.BinsReport, error) { return h.Bins(ctx) }
