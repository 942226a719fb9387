package target

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sync"
)

// core is an open core: the memory of a process, by address.
type core struct {
	path   string
	file   io.ReaderAt
	closer io.Closer // of the file; nil: there is nothing to close

	coreHeaders
	coreNotes
	runs    []run       // what the file holds, by address, none twice
	held    []addresses // the runs, those that touch as one
	missing []addresses // what was accessible in the process and is not in the file
	cut     string      // how the file came to lack its end, for a warning; empty: it is whole
	ends    sync.Map    // by the address where it was looked for: see written
}

// run is a part of the memory that the file holds.
type run struct {
	addresses
	at      int64  // in the file
	segment uint64 // where its segment starts
}

// newCore reads the headers and notes of a core. The problem says why it can't be used.
func newCore(path string, file io.ReaderAt, fileBytes int64) (c *core, problem string) {
	c = &core{path: path, file: file}
	if c.coreHeaders, problem = readCoreHeaders(file, fileBytes); problem != "" {
		return nil, problem
	}
	c.coreNotes = readCoreNotes(file, c.coreHeaders.notes)
	c.layRuns()
	c.findMissing()
	return c, ""
}

// layRuns decides which segment holds a byte that several claim: the one that starts first.
func (c *core) layRuns() {
	covered := uint64(0)
	for _, s := range c.segments {
		from, end := max(s.start, covered), s.start+s.dumped
		if from < end {
			c.runs = append(c.runs, run{addresses{from, end}, s.at + int64(from-s.start), s.start})
			covered = end
		}
	}
}

// findMissing lists what the process could read and the file does not hold: of segments that say so, and of mapped files that
// have no segment.
func (c *core) findMissing() {
	var readable, closed, files []addresses
	for _, s := range c.segments {
		if s.readable() {
			readable = append(readable, addresses{s.start, s.end})
		} else {
			closed = append(closed, addresses{s.start, s.end})
		}
	}
	for _, f := range c.files {
		files = append(files, addresses{f.start, f.end})
	}
	for _, r := range c.runs {
		c.held = append(c.held, r.addresses)
	}
	accessible := united(append(readable, without(united(files), united(closed))...))
	c.held = united(c.held)
	c.missing = without(accessible, c.held)
}

// runAt is the index of the first run that ends behind an address.
func (c *core) runAt(address uint64) int {
	i, _ := slices.BinarySearchFunc(c.runs, address, func(r run, address uint64) int {
		if r.end <= address {
			return -1
		}
		return 1
	})
	return i
}

// read fills p with the memory from an address on; what the file does not hold becomes zeros.
func (c *core) read(p []byte, address uint64) error {
	for i := c.runAt(address); len(p) > 0; i++ {
		gap := uint64(len(p))
		if i < len(c.runs) && c.runs[i].start < address+gap {
			gap = max(c.runs[i].start, address) - address
		}
		clear(p[:gap])
		if p, address = p[gap:], address+gap; len(p) == 0 {
			break
		}
		r := c.runs[i]
		part := p[:min(uint64(len(p)), r.end-address)]
		if n, err := c.file.ReadAt(part, r.at+int64(address-r.start)); n < len(part) {
			return fmt.Errorf("%s can't be read at byte %d: %w", printable(c.path), r.at+int64(address-r.start)+int64(n), err)
		}
		p, address = p[len(part):], address+uint64(len(part))
	}
	return nil
}

// holds says whether the file has all bytes of a range.
func (c *core) holds(address, bytes uint64) bool {
	parts := within(c.held, addresses{address, address + min(bytes, math.MaxUint64-address)})
	return len(parts) == 1 && parts[0].end-parts[0].start == bytes
}

// filled lists what the file holds of a range, without its own holes.
func (c *core) filled(whole addresses) (parts []addresses) {
	for _, r := range c.runs[c.runAt(whole.start):] {
		if r.start >= whole.end {
			break
		}
		from, to := max(r.start, whole.start), min(r.end, whole.end)
		at := r.at + int64(from-r.start)
		for _, e := range dataOf(c.file, []Extent{{at, int64(to - from)}}) {
			start := from + uint64(e.Offset-at)
			parts = append(parts, addresses{start, start + uint64(e.Bytes)})
		}
	}
	return parts
}

// headerAt reads what may be the header of a heap: see headerReader.
func (c *core) headerAt(address uint64) []byte {
	header := make([]byte, headerBytes)
	if !c.holds(address, uint64(len(header))) || c.read(header, address) != nil {
		return nil
	}
	return header
}

func (c *core) close() error {
	if c.closer == nil {
		return nil
	}
	return c.closer.Close()
}

// chunkOfWriters is how much gcore and Delve copy at a time. Where some of it can't be read, a guard page for example, gcore
// gives up the rest of the segment, and Delve the rest of the chunk: zeros are there instead. The kernel goes on behind the page.
const chunkOfWriters = 1 << 20

// doubtful lists what is zeros in a range, perhaps only because whoever wrote the core could not read it.
func (c *core) doubtful(whole addresses) (parts []addresses) {
	if !c.delve && !c.sections {
		return nil
	}
	for _, r := range c.runs[c.runAt(whole.start):] {
		if r.start >= whole.end {
			break
		}
		if !c.delve {
			parts = append(parts, within([]addresses{{c.written(r, r.end), r.end}}, whole)...)
			continue
		}
		from := max(r.start, whole.start)
		for from -= (from - r.segment) % chunkOfWriters; from < min(r.end, whole.end); {
			end := min(r.end, from+chunkOfWriters)
			start := max(from, r.start)
			parts = append(parts, within([]addresses{{c.written(run{addresses{start, end}, r.at + int64(start-r.start), r.segment}, end), end}}, whole)...)
			from = end
		}
	}
	return united(parts)
}

// written is where those bytes of a run end that are not zeros up to its end, by pages in a core of Delve and by chunks in one of
// gcore. It is looked for once.
func (c *core) written(r run, end uint64) uint64 {
	if known, ok := c.ends.Load(end); ok {
		return known.(uint64)
	}
	step := uint64(chunkOfWriters)
	if c.delve {
		step = delvePage
	}
	address := r.start
	parts := dataOf(c.file, []Extent{{r.at, int64(r.end - r.start)}})
	for _, part := range slices.Backward(parts) {
		if last, found := c.lastByte(part); found {
			address = r.start + uint64(last-r.at) + 1
			break
		}
	}
	if over := (address - r.segment) % step; over > 0 {
		address += step - over
	}
	address = min(address, end)
	c.ends.Store(end, address)
	return address
}

// lastByte is where the last byte of a part of the file lies that is not zero.
func (c *core) lastByte(part Extent) (at int64, found bool) {
	buffer := make([]byte, min(part.Bytes, chunkOfWriters))
	for end := part.end(); end > part.Offset; {
		piece := buffer[:min(int64(len(buffer)), end-part.Offset)]
		end -= int64(len(piece))
		if n, err := c.file.ReadAt(piece, end); n < len(piece) && err != nil {
			return part.end() - 1, true
		}
		if n := len(bytes.TrimRight(piece, "\x00")); n > 0 {
			return end + int64(n) - 1, true
		}
	}
	return 0, false
}

// sizeOf is the size of a file.
func sizeOf(file *os.File) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
