package mtrace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const small = "testdata/small.mtrace"

// smallEvents is what small.mtrace says.
var smallEvents = []Event{
	{Op: Alloc, Line: 2, Address: 0x55d0c8a2a2a0, Size: 0x30},
	{Op: Alloc, Line: 3, Address: 0x55d0c8a2a2e0, Size: 0x400},
	{Op: Alloc, Line: 4, Address: 0x55d0c8a2a6f0, Size: 0x78},
	{Op: Alloc, Line: 5, Address: 0x55d0c8a2a770, Size: 0x20},
	{Op: Alloc, Line: 6, Address: 0x55d0c8a2a7a0, Size: 0},
	{Op: Realloc, Line: 8, Old: 0x55d0c8a2a7a0, Address: 0x55d0c8a2a7a0, Size: 0x18},
	{Op: Realloc, Line: 10, Old: 0x55d0c8a2a7a0, Address: 0x55d0c8a2a7c0, Size: 0x90},
	{Op: Alloc, Line: 11, Address: 0x55d0c8a2a860, Size: 0x9},
	{Op: Free, Line: 12, Address: 0x55d0c8a2a860},
	{Op: Free, Line: 13, Address: 0x55d0c8a29010},
	{Op: Free, Line: 14, Address: 0x55d0c8a2a6f0},
	{Op: Alloc, Line: 15, Address: 0, Size: 0x7fffffffffffffff},
	{Op: Alloc, Line: 16, Address: 0x7f3a1c000010, Size: 0x21000},
	{Op: FailedRealloc, Line: 17, Address: 0x7f3a1c000010, Size: 0x7ffffffffffff000},
	{Op: Realloc, Line: 19, Old: 0x7f3a1c000010, Address: 0x7f3a1bf00010, Size: 0x42000},
	{Op: Alloc, Line: 21, Address: 0x55d0c8a2a880, Size: 0x38},
	{Op: Alloc, Line: 22, Address: 0x55d0c8a2a8c0, Size: 0x1},
	{Op: Realloc, Line: 24, Old: 0x55d0c8a2a8c0, Address: 0x55d0c8a2a8e0, Size: 0x2a},
	{Op: Free, Line: 25, Address: 0x55d0c8a2a8e0},
	{Op: Alloc, Line: 26, Address: 0x55d0c8a2a6f0, Size: 0x64},
	{Op: Alloc, Line: 27, Address: 0x55d0c8a2a910, Size: 0x64},
	{Op: Alloc, Line: 28, Address: 0x55d0c8a2a6f0, Size: 0x65},
	{Op: Realloc, Line: 30, Old: 0x55d0c8a29330, Address: 0x55d0c8a2a980, Size: 0xc8},
	{Op: Free, Line: 31, Address: 0x55d0c8a2a910},
	{Op: Free, Line: 32, Address: 0x55d0c8a2a6f0},
	{Op: Free, Line: 33, Address: 0x7f3a1bf00010},
	{Op: Free, Line: 34, Address: 0x55d0c8a2a2e0},
}

// events reads everything. The callers' numbers are left out, so that what remains can be compared.
func events(t testing.TB, r *Reader) ([]Event, error) {
	t.Helper()
	var all []Event
	for {
		e, err := r.Next()
		if err != nil {
			_, again := r.Next()
			require.Equal(t, err, again, "the end stays the end")
			return all, err
		}
		e.Caller = 0
		all = append(all, e)
	}
}

func read(t testing.TB, text string) ([]Event, Report, error) {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), "test")
	require.NoError(t, err)
	all, err := events(t, r)
	require.NoError(t, r.Close())
	return all, r.Report(), err
}

func gzipped(t testing.TB, text []byte) []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return packed.Bytes()
}

func zstandard(t testing.TB, text []byte) []byte {
	w, err := zstd.NewWriter(nil, zstd.WithWindowSize(32<<10))
	require.NoError(t, err)
	defer w.Close()
	return w.EncodeAll(text, nil)
}

func TestSmallRecordingHoweverItIsPacked(t *testing.T) {
	plain, err := os.ReadFile(small)
	require.NoError(t, err)
	half := len(plain) / 2
	for name, stored := range map[string][]byte{
		"plain":               plain,
		"gzip":                gzipped(t, plain),
		"zstd":                zstandard(t, plain),
		"two gzip members":    append(gzipped(t, plain[:half]), gzipped(t, plain[half:])...),
		"two zstd frames":     append(zstandard(t, plain[:half]), zstandard(t, plain[half:])...),
		"skippable zstd head": append([]byte("\x50\x2a\x4d\x18\x02\x00\x00\x00hi"), zstandard(t, plain)...),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "name says nothing")
			require.NoError(t, os.WriteFile(path, stored, 0o600))
			r, err := Open(path)
			require.NoError(t, err)
			require.Equal(t, int64(len(stored)), r.Size())
			all, err := events(t, r)
			require.Equal(t, io.EOF, err)
			require.Equal(t, smallEvents, all)
			require.Equal(t, int64(len(stored)), r.Consumed())
			require.Equal(t, Report{
				Lines: 35, Events: len(smallEvents), Malformed: 1, Torn: true,
				First: []Malformed{{Line: 20, Text: "warning: price list is from last year", Reason: "it does not end in a hexadecimal number"}},
			}, r.Report())
			require.NoError(t, r.Close())
		})
	}
}

func TestCallers(t *testing.T) {
	r, err := Open(small)
	require.NoError(t, err)
	defer r.Close()
	named := map[int]string{}
	for e, err := r.Next(); err == nil; e, err = r.Next() {
		named[e.Line] = r.Caller(e.Caller)
	}
	require.Equal(t, "./shop:(open_log+0x1c)[0x41c2]", named[2])
	require.Equal(t, "/opt/My Shop/lib/libcart.so:(cart_new+0x12)[0x1a32]", named[5])
	require.Equal(t, "/opt/My Shop/lib/libcart.so:[0x1b10]", named[8])
	require.Equal(t, "[0x7ffe5c0d10f2]", named[11])
	require.Equal(t, "", named[22])
	require.Equal(t, named[26], named[28])
	require.Equal(t, "", r.Caller(1<<30))
}

func TestCallersAreBounded(t *testing.T) {
	long := strings.Repeat("x", 60<<10)
	c := newCallers()
	ids := map[CallerID]bool{}
	for i := range 1000 {
		text := []byte(fmt.Sprintf("%s[%#x]", long, i))
		id := c.id(text)
		require.Equal(t, id, c.id(text))
		ids[id] = true
	}
	require.LessOrEqual(t, c.bytes, mostCallerBytes)
	require.Len(t, ids, mostCallerBytes/(60<<10)+1, "those that fit and one number for all others")
	require.True(t, ids[0])

	c = newCallers()
	for i := range mostCallers + 10 {
		require.Equal(t, i >= mostCallers, c.id(fmt.Appendf(nil, "%d", i)) == 0, i)
	}
}

func TestCallersWithTheSameEnding(t *testing.T) {
	c := newCallers()
	a, b := c.id([]byte("./a:(f+0x1)[0x41c2]")), c.id([]byte("./b:(f+0x1)[0x41c2]"))
	require.NotEqual(t, a, b)
	require.Equal(t, a, c.id([]byte("./a:(f+0x1)[0x41c2]")))
}

func TestEnds(t *testing.T) {
	whole := "= Start\n@ ./a:[0x1] + 0x10 0x20\n"
	for name, c := range map[string]struct {
		end    string
		events int
		torn   bool
	}{
		"clean":                        {"", 1, false},
		"marker":                       {"= End\n", 1, false},
		"marker without newline":       {"= End", 1, false},
		"half a marker":                {"= En", 1, true},
		"in the caller":                {"@ ./a:[0x", 1, true},
		"before the address":           {"@ ./a:[0x1] - ", 1, true},
		"in the address":               {"@ ./a:[0x1] - 0x1", 1, true},
		"only the newline is missing":  {"@ ./a:[0x1] - 0x10", 1, true},
		"between a realloc's lines":    {"@ ./a:[0x1] < 0x10\n", 1, true},
		"in a realloc's second line":   {"@ ./a:[0x1] < 0x10\n@ ./a:[0x1] > 0x", 1, true},
		"after a realloc's both lines": {"@ ./a:[0x1] < 0x10\n@ ./a:[0x1] > 0x10 0x8\n", 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			all, report, err := read(t, whole+c.end)
			require.Equal(t, io.EOF, err)
			require.Len(t, all, c.events)
			require.Equal(t, c.torn, report.Torn)
			require.Zero(t, report.Malformed)
		})
	}
}

// Every beginning of a recording reads without complaint: it gives the events that are complete in it.
func TestTornAnywhere(t *testing.T) {
	text := "= Start\n@ ./a:[0x1] + 0x10 0x20\n@ ./a:[0x1] < 0x10\n@ ./a:[0x1] > 0x30 0x40\n@ ./a:[0x1] - 0x30\n= End\n"
	whole, _, err := read(t, text)
	require.Equal(t, io.EOF, err)
	for n := len("= Start\n"); n <= len(text); n++ {
		all, report, err := read(t, text[:n])
		require.Equal(t, io.EOF, err)
		require.True(t, slices.Equal(whole[:len(all)], all))
		require.Zero(t, report.Malformed, "%q", text[:n])
		atLineEnd := text[n-1] == '\n' || strings.HasSuffix(text[:n], "= End")
		inRealloc := strings.HasSuffix(text[:n], "< 0x10\n")
		require.Equal(t, !atLineEnd || inRealloc, report.Torn, "%q", text[:n])
	}
}

func TestCompressorKilledToo(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("= Start\n")
	const lines = 30000
	for i := range lines {
		fmt.Fprintf(&text, "@ ./a:[%#x] + %#x %#x\n", i*7919%65536, 0x1000+i*16, i%5000)
	}
	for name, stored := range map[string][]byte{"gzip": gzipped(t, text.Bytes()), "zstd": zstandard(t, text.Bytes())} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(stored[:len(stored)/2]), "test")
			require.NoError(t, err)
			all, err := events(t, r)
			require.Equal(t, io.EOF, err)
			require.True(t, r.Report().Torn)
			require.Zero(t, r.Report().Malformed)
			require.Greater(t, len(all), lines/5)
			require.NoError(t, r.Close())

			r, err = NewReader(bytes.NewReader(stored[:len(stored)-2]), "test") // in the checksum
			require.NoError(t, err)
			all, err = events(t, r)
			require.Equal(t, io.EOF, err)
			require.True(t, r.Report().Torn)
			require.Greater(t, len(all), lines-1000, "zstd holds back the last block")
			require.True(t, name == "zstd" || len(all) == lines)
			require.NoError(t, r.Close())
		})
	}
}

func TestDamagedCompression(t *testing.T) {
	plain := []byte("= Start\n" + strings.Repeat("@ ./a:[0x1] + 0x10 0x20\n", 100))
	for name, stored := range map[string][]byte{"gzip": gzipped(t, plain), "zstd": zstandard(t, plain)} {
		t.Run(name, func(t *testing.T) {
			stored[len(stored)-6] ^= 0x10 // in the checksum or just before it
			r, err := NewReader(bytes.NewReader(stored), "some.file")
			require.NoError(t, err)
			defer r.Close()
			_, err = events(t, r)
			require.ErrorContains(t, err, "some.file: the compressed data is damaged after line")
		})
	}
}

// The window of a frame says how much memory its decoder needs.
func TestZstdWindowIsLimited(t *testing.T) {
	for exponent, refused := range map[byte]bool{17: false, 18: true} { // 2^(10+exponent) bytes
		frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3, 0x01 | 8<<3, 0, 0, '=', ' ', 'S', 't', 'a', 'r', 't', '\n'}
		r, err := NewReader(bytes.NewReader(frame), "test")
		require.NoError(t, err)
		_, err = r.Next()
		require.Equal(t, refused, err != io.EOF, "%v", err)
		require.NoError(t, r.Close())
	}
}

func TestLongLines(t *testing.T) {
	event := func(bytes int) string {
		const rest = "@ [0x1] - 0x10\n"
		return "@ " + strings.Repeat("a", bytes-len(rest)) + rest[2:]
	}
	for _, c := range []struct {
		bytes, events int
	}{{LineLimit, 3}, {LineLimit + 1, 2}, {10*LineLimit + 5, 2}} {
		all, report, err := read(t, "- 0x1\n"+event(c.bytes)+"- 0x2\n")
		require.Equal(t, io.EOF, err)
		require.Len(t, all, c.events, c.bytes)
		require.Equal(t, 3-c.events, report.Malformed)
		require.Equal(t, 3, report.Lines)
		require.Equal(t, 3, all[len(all)-1].Line)
		require.False(t, report.Torn)
		if report.Malformed > 0 {
			require.Len(t, report.First[0].Text, mostSampleBytes)
			require.Contains(t, report.First[0].Reason, "longer than 65536 bytes")
		}
	}
	_, report, err := read(t, "- 0x1\n"+strings.Repeat("a", 3*LineLimit))
	require.Equal(t, io.EOF, err)
	require.Equal(t, 2, report.Lines)
	require.Equal(t, 1, report.Malformed)
	require.False(t, report.Torn, "no event is that long")
}

func TestReallocWithoutItsOtherLine(t *testing.T) {
	all, report, err := read(t, "= Start\n< 0x10\n- 0x20\n> 0x30 0x1\n- 0x21\n< 0x40\n< 0x50\nnoise\n> 0x60 0x2\n")
	require.Equal(t, io.EOF, err)
	require.Equal(t, []Event{{Op: Free, Line: 3, Address: 0x20}, {Op: Free, Line: 5, Address: 0x21}, {Op: Realloc, Line: 9, Old: 0x50, Address: 0x60, Size: 2}}, all)
	require.Equal(t, []Malformed{
		{Line: 2, Text: "< 0x10", Reason: "the old block of a realloc without the new one"},
		{Line: 4, Text: "> 0x30 0x1", Reason: "the new block of a realloc without the old one"},
		{Line: 6, Text: "< 0x40", Reason: "the old block of a realloc without the new one"},
		{Line: 8, Text: "noise", Reason: "it does not end in a hexadecimal number"},
	}, report.First)
	require.False(t, report.Torn)
}

func TestOnlyTheFirstMalformedLinesAreKept(t *testing.T) {
	_, report, err := read(t, "= Start\n"+strings.Repeat("noise\n", 1000))
	require.Equal(t, io.EOF, err)
	require.Equal(t, 1000, report.Malformed)
	require.Len(t, report.First, mostSamples)
}

func TestNoRecording(t *testing.T) {
	for text, why := range map[string]string{
		"":                      "it is empty",
		"\n\n":                  "it is empty",
		"= Sta":                 "its only line is not complete",
		"hello\nworld\n":        `none of its 2 lines is an event; line 1 begins "hello"`,
		"\x7fELF\x00\x01\n\x00": `none of its 2 lines is an event; line 1 begins "\x7fELF\x00\x01"`,
	} {
		_, _, err := read(t, text)
		require.ErrorIs(t, err, ErrNoRecording)
		require.EqualError(t, err, "test: this is no mtrace recording: "+why)
	}
	for _, text := range []string{"= Start\n", "= End", "- 0x1\n", "< 0x1\n", "noise\n- 0x1\nnoise\n"} {
		_, _, err := read(t, text)
		require.Equal(t, io.EOF, err, text)
	}
}

func TestOpenErrors(t *testing.T) {
	_, err := Open(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)

	r, err := Open(t.TempDir())
	require.NoError(t, err)
	_, err = r.Next()
	require.ErrorContains(t, err, "is a directory")
	require.NoError(t, r.Close())

	r, err = Open(small)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = r.Next()
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestStandardInput(t *testing.T) {
	file, err := os.Open(small)
	require.NoError(t, err)
	defer file.Close()
	real := os.Stdin
	os.Stdin = file
	defer func() { os.Stdin = real }()
	r, err := Open("-")
	require.NoError(t, err)
	all, err := events(t, r)
	require.Equal(t, io.EOF, err)
	require.Equal(t, smallEvents, all)
	require.NoError(t, r.Close())
	_, err = file.Stat()
	require.NoError(t, err, "standard input stays open")
}

func TestPipesHaveNoSize(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	defer in.Close()
	_, err = out.WriteString("- 0x1\n")
	require.NoError(t, err)
	require.NoError(t, out.Close())
	r, err := NewReader(in, "pipe")
	require.NoError(t, err)
	require.Equal(t, int64(-1), r.Size())
	all, err := events(t, r)
	require.Equal(t, io.EOF, err)
	require.Len(t, all, 1)
}

func TestFailingInput(t *testing.T) {
	wrong := errors.New("the disk is on fire")
	r, err := NewReader(io.MultiReader(strings.NewReader("- 0x1\n- 0x"), failing{wrong}), "disk")
	require.NoError(t, err)
	all, err := events(t, r)
	require.ErrorIs(t, err, wrong)
	require.EqualError(t, err, "disk: reading after line 1: the disk is on fire")
	require.Len(t, all, 1)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// endless is a line that never ends, as a small file that decompresses to terabytes would be.
type endless struct{ started chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	select {
	case e.started <- struct{}{}:
	default:
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestInterrupt(t *testing.T) {
	source := endless{started: make(chan struct{})}
	done := make(chan error)
	var r *Reader
	go func() {
		var err error
		if r, err = NewReader(source, "endless"); err != nil {
			done <- err
			return
		}
		done <- nil
		_, err = r.Next()
		done <- err
	}()
	<-source.started
	require.NoError(t, <-done)
	<-source.started
	r.Interrupt()
	require.ErrorIs(t, <-done, ErrInterrupted)
}

func TestInterruptFreesAWaitingRead(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	_, err = out.WriteString("- 0x1\n")
	require.NoError(t, err)
	reads := make(chan struct{}, 10)
	r, err := newReader(announced{in, reads}, "pipe", in)
	require.NoError(t, err)
	_, err = r.Next()
	require.NoError(t, err)
	for len(reads) > 0 {
		<-reads
	}
	done := make(chan error)
	go func() { _, err := r.Next(); done <- err }()
	<-reads
	r.Interrupt()
	require.ErrorIs(t, <-done, ErrInterrupted)
	require.NoError(t, r.Close())
}

// announced tells of each read before it begins.
type announced struct {
	in    io.Reader
	reads chan<- struct{}
}

func (a announced) Read(p []byte) (int, error) {
	a.reads <- struct{}{}
	return a.in.Read(p)
}

func TestNothingIsAllocatedForAnEvent(t *testing.T) {
	text := "= Start\n" + strings.Repeat("@ ./a:(f+0x1)[0x41c2] + 0x55d0c8a2a2a0 0x30\n@ ./a:[0x2] - 0x55d0c8a2a2a0\n", 5000)
	r, err := NewReader(strings.NewReader(text), "test")
	require.NoError(t, err)
	for range 2 { // the callers are new
		_, err = r.Next()
		require.NoError(t, err)
	}
	require.Zero(t, testing.AllocsPerRun(1000, func() {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}))
}
