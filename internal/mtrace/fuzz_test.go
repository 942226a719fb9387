package mtrace

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// FuzzReader feeds arbitrary bytes. Whatever they are, the reader ends without a panic, tells where it was, and every event it
// gives reads the same when it is written down again.
func FuzzReader(f *testing.F) {
	plain, err := os.ReadFile(small)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add(gzipped(f, plain))
	f.Add(zstandard(f, plain))
	f.Add(zstandard(f, plain)[:100])
	f.Add([]byte("= Start\n@ [0x1] + (nil) 0\n@ < 0x1\n> 0x1 0x1\n! 0x1 0x1\n@ a b:[0x1] - 0x1\n= End"))
	f.Add([]byte("< 0x1\n< 0x1\n> 0x1 0x1\n> 0x1 0x1\n"))
	f.Add([]byte(strings.Repeat("x", LineLimit+1)))
	f.Add([]byte("\x1f\x8b"))
	f.Add([]byte("\x50\x2a\x4d\x18"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		defer r.Close()
		line, seen := 0, 0
		var e Event
		for {
			if e, err = r.Next(); err != nil {
				break
			}
			seen++
			if e.Line <= line || e.Line > r.Report().Lines {
				t.Fatalf("line %d after line %d of %d", e.Line, line, r.Report().Lines)
			}
			line = e.Line
			caller := r.Caller(e.Caller)
			if len(caller) > LineLimit-100 {
				continue // written down with all digits, the line may be too long
			}
			if again := reread(t, e, caller); again != e {
				t.Fatalf("%+v was written down and read as %+v", e, again)
			}
		}
		report := r.Report()
		if report.Events != seen || len(report.First) != min(report.Malformed, mostSamples) || r.Consumed() > int64(len(data)) {
			t.Fatalf("%d events of %d bytes, but %+v", seen, len(data), report)
		}
		if err == io.EOF && report.Lines == 0 {
			t.Fatal("nothing was read, and that is no error")
		}
	})
}

// reread writes an event as glibc would, and reads it.
func reread(t *testing.T, e Event, caller string) Event {
	where := ""
	if caller != "" {
		where = "@ " + caller + " "
	}
	text := ""
	switch e.Op {
	case Alloc, FailedRealloc:
		text = fmt.Sprintf("%s%c %#x %#x\n", where, e.Op, e.Address, e.Size)
	case Free:
		text = fmt.Sprintf("%s- %#x\n", where, e.Address)
	case Realloc:
		text = fmt.Sprintf("%s< %#x\n%s> %#x %#x\n", where, e.Old, where, e.Address, e.Size)
	default:
		t.Fatalf("operation %q", e.Op)
	}
	r, err := NewReader(strings.NewReader(text), "again")
	if err != nil {
		t.Fatal(err)
	}
	again, err := r.Next()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if r.Caller(again.Caller) != caller {
		t.Fatalf("caller %q became %q", caller, r.Caller(again.Caller))
	}
	again.Line, again.Caller = e.Line, e.Caller
	return again
}
