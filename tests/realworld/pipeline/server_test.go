package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

// TestUnderLoad: every client gets what it has sent, whoever looks meanwhile finds nothing, and between two loads, and at the end,
// nothing is live.
func TestUnderLoad(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"sealed", "audit"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := start(t, program(t), "mode="+mode, "-memory", "64MiB")
			debugging.Program(t, debugging.Command) // is built before
			var enough atomic.Bool
			loaded := make(chan error, 1)
			go func() {
				for seed := 1; ; seed++ {
					if err := s.load("-files", "20", "-rows", "3000", "-seed", strconv.Itoa(seed)); err != nil || enough.Load() {
						loaded <- err
						return
					}
				}
			}()
			s.reaches("rows_read", 1)
			require.Contains(t, clean(t, "check", s.PID()), "healthy")
			require.Contains(t, clean(t, "stats", s.PID()), "64 MiB   for what is in use")
			clean(t, "leaks", s.PID(), "--unreachable")
			clean(t, "leaks", s.PID())
			require.Contains(t, clean(t, "check", s.PID()), "healthy")
			enough.Store(true)
			require.NoError(t, <-loaded)
			s.holdsNothing()
			require.Zero(t, s.figure("out_of_memory"))
			require.Positive(t, s.figure("bad_requests"))
			require.Positive(t, s.figure("abandoned"))
			require.Contains(t, clean(t, "leaks", s.PID()), "0 live blocks")
			s.endsWell()
		})
	}
}

// TestKilled under load: nothing is wrong in what it leaves.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := start(t, program(t), "mode=sealed")
	loaded := make(chan error, 1)
	go func() { loaded <- s.load("-files", "100000") }()
	s.reaches("converted", 5)
	require.NoError(t, s.Process.Process.Kill())
	said, _ := s.End()
	require.Error(t, <-loaded)
	require.Contains(t, said, "died of SIGKILL")
	p, text := s.postMortem()
	require.Zero(t, p.Findings, text)
	require.Contains(t, text, "healthy")
}

// TestInterruptedUnderLoad: the conversions that are under way come to an end, and leave nothing.
func TestInterruptedUnderLoad(t *testing.T) {
	t.Parallel()
	s := start(t, program(t), "mode=audit")
	loaded := make(chan error, 1)
	go func() { loaded <- s.load("-files", "100000") }()
	s.reaches("converted", 3)
	s.endsWell()
	require.Error(t, <-loaded)
}

// orders is a CSV of so many rows. The answer to it is some bytes for each.
func orders(rows int) string {
	var text strings.Builder
	text.WriteString("id,name\n")
	for i := range rows {
		fmt.Fprintf(&text, "%d,%d-%d\n", i, i*2654435761%1000003, i)
	}
	return text.String()
}

// TestLimit: a request that needs more than there is gets an answer that says so; what it had is given back, and the next request
// gets its file. Of the same file smaller row groups need less: it is streamed.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := start(t, program(t), "mode=sealed", "-memory", "3MiB")
	csv := orders(200_000)
	status, body, err := s.post("origin=from&rowgroup=1000000&compression=none", csv)
	require.NoError(t, err)
	require.Equal(t, http.StatusServiceUnavailable, status, "%.200s", body)
	require.Contains(t, body, "the heap is at its limit of 3072 KiB")
	s.holdsNothing()
	require.EqualValues(t, 1, s.figure("out_of_memory"))
	require.Contains(t, clean(t, "check", s.PID()), "healthy")

	status, body, err = s.post("origin=from&rowgroup=10000&batch=1000&compression=none", csv)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, "%.200s", body)
	require.Greater(t, len(body), 3<<20)
	s.holdsNothing()

	// Several at a time: some get their file, the others are told.
	require.NoError(t, s.load("-clients", "6", "-files", "18", "-rows", "8000"))
	s.holdsNothing()
	s.endsWell()
}

// TestHangUp: a client that has gone, while it sends or while it is sent to, leaves nothing.
func TestHangUp(t *testing.T) {
	t.Parallel()
	s := start(t, program(t), "mode=audit")
	csv := orders(50_000)
	for _, query := range []string{"batch=100", "batch=100&rowgroup=1000&compression=none&origin=from"} {
		for _, part := range []int{0, 3, len(csv) / 2, len(csv)} {
			conn, err := net.Dial("tcp", s.address)
			require.NoError(t, err)
			_, err = fmt.Fprintf(conn, "POST /convert?%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", query, len(csv)+1)
			require.NoError(t, err)
			_, err = io.WriteString(conn, csv[:part])
			if err != nil { // it has been answered meanwhile, and nobody reads that
				t.Log(err)
			}
			require.NoError(t, conn.Close())
		}
	}
	s.reaches("abandoned", 8)
	s.holdsNothing()
	s.endsWell()
}

// TestRequests: what is answered to whom.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := start(t, program(t), "mode=audit")
	for _, exchange := range []struct {
		query, csv string
		status     int
		says       string
	}{
		{"", "a,b\n1,x\n", http.StatusOK, "PAR1"},
		{"", "a,b\n", http.StatusOK, "PAR1"},
		{"where=a>5&derive=b=a*2", "a\n1\n2\n", http.StatusOK, "PAR1"},
		{"", "", http.StatusBadRequest, "there is no header"},
		{"", "a,a\n", http.StatusBadRequest, "two columns have the same name"},
		{"", "a,b\n1\n", http.StatusBadRequest, "line 2: wrong number of fields"},
		{"sample=1", "a\n1\nx\n", http.StatusBadRequest, `line 3, column "a": "x" is no int64`},
		{"schema={%22a%22:%22bool%22}", "a\n7\n", http.StatusBadRequest, `line 2, column "a": "7" is no bool`},
		{"schema={%22b%22:%22bool%22}", "a\n7\n", http.StatusBadRequest, `there is no column "b"`},
		{"schema={%22a%22:%22money%22}", "a\n7\n", http.StatusBadRequest, `"money" is no type`},
		{"schema=a", "a\n7\n", http.StatusBadRequest, "schema: invalid character"},
		{"batch=0", "a\n7\n", http.StatusBadRequest, `batch: "0" is no number from 1`},
		{"compression=zip", "a\n7\n", http.StatusBadRequest, `"zip" is none of`},
		{"derive=b", "a\n7\n", http.StatusBadRequest, `"b" is not like`},
		{"derive=b=c*2", "a\n7\n", http.StatusBadRequest, `"c" is neither a column nor a number`},
		{"derive=b=a*2", "a\nx\n", http.StatusBadRequest, "b=a*2: there is no * of utf8 and int64"},
		{"derive=b=a*2", "a\n9223372036854775807\n", http.StatusBadRequest, "overflow"},
		{"derive=b=a/0", "a\n7\n", http.StatusBadRequest, "divide by zero"},
		{"where=a", "a\n7\n", http.StatusBadRequest, `"a" is not like`},
		{"where=b>1", "a\n7\n", http.StatusBadRequest, `there is no column "b"`},
		{"where=a>x", "a\n7\n", http.StatusBadRequest, `where: column "a"`},
		{"frob=1", "a\n7\n", http.StatusBadRequest, `"frob" is no parameter`},
	} {
		status, body, err := s.post(exchange.query, exchange.csv)
		require.NoError(t, err, exchange)
		require.Equal(t, exchange.status, status, "%s: %.200s", exchange, body)
		require.Contains(t, body, exchange.says)
		s.holdsNothing(exchange)
	}
	s.endsWell()
}
