package mtrace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// LineLimit is the longest line, in bytes with its newline, that can be an event. Longer ones are malformed.
const LineLimit = 64 << 10

// ErrNoRecording says that there was not one line in the input that a recording could contain.
var ErrNoRecording = errors.New("this is no mtrace recording")

// Reader reads one recording. Next and what it fills are for one goroutine at a time; Interrupt, Consumed and Size may be
// called from any goroutine.
type Reader struct {
	name    string
	file    *os.File // nil when NewReader was given something else
	size    int64
	input   counted
	text    interruptible
	packed  bool
	release func() // the decoder's memory
	lines   *bufio.Reader

	callers callers
	report  Report
	begun   bool  // a line was seen that belongs into a recording
	end     error // what Next returns from now on

	// The first line of a realloc, until its second one comes.
	half        bool
	halfAddress uint64
	halfLine    int
}

// Open opens the recording at path; "-" is standard input. Whether it is compressed is seen from its first bytes. The error
// names the path. The Reader must be closed.
func Open(path string) (*Reader, error) {
	if path == "-" {
		return newReader(os.Stdin, "standard input", nil)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := newReader(file, path, file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return r, nil
}

// NewReader is Open for any input. name is what errors call it. Closing the Reader does not close in.
func NewReader(in io.Reader, name string) (*Reader, error) { return newReader(in, name, nil) }

func newReader(in io.Reader, name string, file *os.File) (*Reader, error) {
	r := &Reader{name: name, file: file, size: -1, callers: newCallers()}
	if f, ok := in.(*os.File); ok {
		if about, err := f.Stat(); err == nil && about.Mode().IsRegular() {
			r.size = about.Size()
		}
	}
	r.input.in = in
	raw := bufio.NewReaderSize(&r.input, LineLimit)
	var err error
	if r.text.in, r.packed, r.release, err = decompress(raw); err != nil {
		return nil, fmt.Errorf("%s: the compressed data is damaged: %w", name, err)
	}
	r.lines = bufio.NewReaderSize(&r.text, LineLimit)
	return r, nil
}

// Next gives the next event, and io.EOF after the last one. Lines that make no sense are passed over; Report tells of them.
// Any other error is about the input: it cannot be read or decompressed, or it is no recording at all (ErrNoRecording).
// Once Next has returned an error it returns it again.
func (r *Reader) Next() (event Event, err error) {
	var p parsed
	for r.end == nil {
		line, err := r.lines.ReadSlice('\n')
		if err != nil {
			r.broken(line, err)
			continue
		}
		r.report.Lines++
		line = line[:len(line)-1]
		if complaint := p.parse(line); complaint != "" {
			r.noEvent(line, complaint)
			continue
		}
		if r.complete(&event, &p, line) {
			r.report.Events++
			return event, nil
		}
	}
	return Event{}, r.end
}

// complete makes an event of a good line. A realloc is complete with its second line.
func (r *Reader) complete(event *Event, p *parsed, line []byte) bool {
	r.begun = true
	*event = Event{Op: Op(p.op), Line: r.report.Lines, Address: p.address, Size: p.size}
	switch p.op {
	case newBlock:
		if !r.half {
			r.report.complain(r.report.Lines, line, "the new block of a realloc without the old one")
			return false
		}
		r.half = false
		event.Op, event.Old = Realloc, r.halfAddress
	case oldBlock:
		r.dropHalf()
		r.half, r.halfAddress, r.halfLine = true, p.address, r.report.Lines
		return false
	default:
		r.dropHalf()
	}
	event.Caller = r.callers.id(p.caller)
	return true
}

// dropHalf complains of a realloc's first line whose second one did not come.
func (r *Reader) dropHalf() {
	if r.half {
		r.half = false
		r.report.complain(r.halfLine, fmt.Appendf(nil, "%c %#x", oldBlock, r.halfAddress), "the old block of a realloc without the new one")
	}
}

// noEvent looks at a line that parse refused. The markers come through here because there are two of them in a recording,
// and a test that comes first would cost each event.
func (r *Reader) noEvent(line []byte, complaint string) {
	switch {
	case isMarker(line):
		r.begun = true
	case len(line) > 0:
		r.report.complain(r.report.Lines, line, complaint)
	}
}

// broken handles what is not a line: one that is too long, the input's end, an error.
func (r *Reader) broken(rest []byte, err error) {
	if errors.Is(err, bufio.ErrBufferFull) {
		r.report.Lines++
		r.report.complain(r.report.Lines, rest, fmt.Sprintf("it is longer than %d bytes", LineLimit))
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = r.lines.ReadSlice('\n')
		}
		if err == nil {
			return
		}
		rest = nil
	}
	switch {
	case errors.Is(err, io.EOF):
	case r.packed && errors.Is(err, io.ErrUnexpectedEOF):
		// The compressor was killed together with the program: the same as a torn line.
		r.report.Torn = true
	case errors.Is(err, ErrInterrupted):
		r.end = err
		return
	case r.packed:
		r.end = fmt.Errorf("%s: the compressed data is damaged after line %d: %w", r.name, r.report.Lines, err)
		return
	default:
		r.end = fmt.Errorf("%s: reading after line %d: %w", r.name, r.report.Lines, err)
		return
	}
	r.finish(rest)
}

// finish ends the recording. A last line without a newline is not used even if it reads well: digits may be missing.
func (r *Reader) finish(rest []byte) {
	if len(rest) > 0 {
		r.report.Lines++
		if isMarker(rest) {
			r.begun = true
		} else {
			r.report.Torn = true
		}
	}
	r.report.Torn = r.report.Torn || r.half
	r.end = io.EOF
	if !r.begun {
		r.end = fmt.Errorf("%s: %w: %s", r.name, ErrNoRecording, r.why())
	}
}

// why says what was found instead of a recording.
func (r *Reader) why() string {
	switch {
	case len(r.report.First) > 0:
		first := r.report.First[0]
		return fmt.Sprintf("none of its %d lines is an event; line %d begins %.40q", r.report.Lines, first.Line, first.Text)
	case r.report.Torn:
		return "its only line is not complete"
	}
	return "it is empty"
}

// Report tells what Next met so far.
func (r *Reader) Report() Report { return r.report }

// Caller is the text of a caller as it stands in the recording, OBJECT:(SYMBOL+OFFSET)[ADDRESS]; empty when it is not known.
// It works on a closed Reader too.
func (r *Reader) Caller(id CallerID) string {
	if int(id) >= len(r.callers.names) {
		return ""
	}
	return r.callers.names[id]
}

// Consumed is how many bytes of the input, as it is stored, were read so far. Reading runs ahead of Next by less than
// 256 KiB.
func (r *Reader) Consumed() int64 { return r.input.read.Load() }

// Size is how many bytes the input has as it is stored; -1 when that is not known, as for a pipe.
func (r *Reader) Size() int64 { return r.size }

// Interrupt makes Next return ErrInterrupted soon, also one that is under way on another goroutine. A Next that waits for
// standard input notices when something arrives there, or its end.
func (r *Reader) Interrupt() {
	r.text.stopped.Store(true)
	if r.file != nil {
		_ = r.file.SetReadDeadline(time.Unix(1, 0)) // frees a Next that waits for a named pipe; regular files need none
	}
}

// Close frees the Reader. Next must not be under way.
func (r *Reader) Close() error {
	if r.end == nil {
		r.end = os.ErrClosed
	}
	r.release()
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
