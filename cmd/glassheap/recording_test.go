package main

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// recorder makes up the recording of a program that allocates and frees all the time, in all sizes.
type recorder struct {
	random *rand.Rand
	live   []uint64
	next   uint64 // address that was not used yet
}

func newRecorder(seed int64) *recorder {
	return &recorder{random: rand.New(rand.NewSource(seed)), next: 0x55d0c8a2a000}
}

// mostLive is how many blocks such a program has at most.
const mostLive = 8000

// event writes one allocation, free or reallocation.
func (r *recorder) event(w *bytes.Buffer) {
	switch n := len(r.live); {
	case n < 100 || n < mostLive && r.random.Intn(9) < 5:
		r.live = append(r.live, r.alloc(w, "+", r.size()))
	case r.random.Intn(5) == 0:
		i := r.random.Intn(n)
		fmt.Fprintf(w, "@ ./shop:[0x4622] < %#x\n", r.live[i])
		r.live[i] = r.alloc(w, ">", r.size())
	default:
		i := r.random.Intn(n)
		fmt.Fprintf(w, "@ ./shop:[0x4755] - %#x\n", r.live[i])
		r.live[i] = r.live[n-1]
		r.live = r.live[:n-1]
	}
}

func (r *recorder) alloc(w *bytes.Buffer, sign string, size int) uint64 {
	address := r.next
	r.next += uint64(size+31) &^ 15
	fmt.Fprintf(w, "@ ./shop:(sell+0x18)[0x4718] %s %#x %#x\n", sign, address, size)
	return address
}

func (r *recorder) size() int {
	switch r.random.Intn(400) {
	case 0:
		return 1 + r.random.Intn(200<<10)
	case 1, 2, 3, 4, 5, 6, 7:
		return 1 + r.random.Intn(8<<10)
	}
	return 1 + r.random.Intn(300)
}

// recordingFile is a recording of this many events.
func recordingFile(t *testing.T, events int) string {
	t.Helper()
	var text bytes.Buffer
	text.WriteString("= Start\n")
	r := newRecorder(1)
	for range events {
		r.event(&text)
	}
	path := filepath.Join(t.TempDir(), "shop.mtrace")
	require.NoError(t, os.WriteFile(path, text.Bytes(), 0o600))
	return path
}

// stream is a recording that goes on until somebody ends it.
type stream struct {
	recorder *recorder
	text     bytes.Buffer
	over     atomic.Bool
}

// newStream is a stream that begins with blocks that are never freed, of a size that no other block has.
func newStream(kept, size int) *stream {
	s := &stream{recorder: newRecorder(2)}
	s.text.WriteString("= Start\n")
	for range kept {
		s.recorder.alloc(&s.text, "+", size)
	}
	return s
}

// Read reads on in the recording.
func (s *stream) Read(p []byte) (int, error) {
	for s.text.Len() < len(p) && !s.over.Load() {
		s.recorder.event(&s.text)
	}
	return s.text.Read(p) // at the end, what is left, and then io.EOF
}
