package main

import (
	"bufio"
	"io"
	"net/http"
)

// answer is a response that may still become an error as long as only a little of it is written.
type answer struct {
	w    http.ResponseWriter
	held *bufio.Writer
	sent bool // some of it
}

// heldBytes is how much of an answer waits until there is more.
const heldBytes = 64 << 10

func newAnswer(w http.ResponseWriter) *answer {
	a := &answer{w: w}
	a.held = bufio.NewWriterSize(sending{a}, heldBytes)
	return a
}

func (a *answer) Write(b []byte) (int, error) { return a.held.Write(b) }

// end sends the rest. Its error is the client's: it has gone.
func (a *answer) end() { _ = a.held.Flush() }

// sending is what the held bytes are written to.
type sending struct{ *answer }

func (s sending) Write(b []byte) (int, error) {
	if !s.sent {
		s.sent = true
		s.w.Header().Set("Content-Type", "application/vnd.apache.parquet")
	}
	return s.w.Write(b)
}

// mostUnread is how much of a request that was refused is read still: so long a client that reads only when it has written gets
// its answer.
const mostUnread = 256 << 20

// fail answers with an error. When some of the file was sent already, all that can be done is to hang up: a client sees that the
// answer has no end.
func (a *answer) fail(r *http.Request, status int, err error) {
	if a.sent {
		panic(http.ErrAbortHandler)
	}
	http.Error(a.w, err.Error(), status)
	_ = http.NewResponseController(a.w).Flush()
	_, _ = io.CopyN(io.Discard, r.Body, mostUnread)
}
