package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/inspect/symbols"
)

// OpenCore opens a heap in the core file of a process: one of the kernel, of gcore or of Delve's dump, on any system. One that is
// compressed (gzip, zstd) is unpacked into a temporary file first, which is gone after Close; ctx ends that.
//
// A core may hold less than the process had: see Partial. Errors are a *FormatError where it is no core, a *NotDumpedError
// where the heap's memory is not in it, a *NoHeapError and an *AmbiguousError.
func OpenCore(ctx context.Context, path string, o Options) (Target, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	start, err := startOf(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return openCoreOf(ctx, path, file, start, o)
}

// openCoreOf takes over an open file.
func openCoreOf(ctx context.Context, path string, file *os.File, start []byte, o Options) (Target, error) {
	c, err := readAnyCore(ctx, path, file, start, o)
	if err != nil {
		return nil, err
	}
	t, err := c.open(o)
	if err != nil {
		_ = c.close()
		return nil, err
	}
	return t, nil
}

// OpenCoreHeaps opens all heaps of a core, which may be none, and tells what the process died of. close closes them all.
func OpenCoreHeaps(ctx context.Context, path string, o Options) (heaps []CoreHeap, d CoreDeath, close func() error, err error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, d, nil, err
	}
	start, err := startOf(file)
	if err != nil {
		file.Close()
		return nil, d, nil, err
	}
	c, err := readAnyCore(ctx, path, file, start, o)
	if err != nil {
		return nil, d, nil, err
	}
	for i, f := range c.heaps() {
		t, err := c.open(Options{Heap: fmt.Sprintf("#%d", i+1)})
		heaps = append(heaps, CoreHeap{f.Place, t, err})
	}
	return heaps, CoreDeath{PID: c.pid, Program: c.program(), Signal: c.signal, Fault: c.fault, Cut: c.cut}, c.close, nil
}

// CoreHeap is a heap that a core tells of.
type CoreHeap struct {
	Place
	Target  Target // nil: it can't be opened
	Problem error  // then
}

// CoreDeath is what a core tells of the end of its process.
type CoreDeath struct {
	PID     int
	Program string
	Signal  int    // that ended it; 0: none, the core was made of a process that went on
	Fault   uint64 // the address that a SIGSEGV or SIGBUS was about; 0: another signal, or address 0
	Cut     string // how the core lost its end; empty: it is whole
}

// readAnyCore takes over an open file, unpacks it if it has to be, and reads its headers.
func readAnyCore(ctx context.Context, path string, file *os.File, start []byte, o Options) (*core, error) {
	closer, cut := io.Closer(file), ""
	if packingOf(start) != nil {
		plain, problem, err := unpack(ctx, path, file, start, mostUnpacked, o.Unpacking)
		file.Close()
		if err != nil {
			return nil, err
		}
		closer, cut, file = plain, problem, plain.File
	}
	c, err := readCore(path, file)
	if err != nil {
		closer.Close()
		return nil, err
	}
	c.closer = closer
	if cut != "" {
		c.cut = cut
	}
	return c, nil
}

// readCore reads the headers of a core.
func readCore(path string, file *os.File) (*core, error) {
	start, err := startOf(file)
	if err != nil {
		return nil, err
	}
	if otherwise := recogniseCore(start); otherwise != "" {
		return nil, &FormatError{Path: path, Found: otherwise}
	}
	size, err := sizeOf(file)
	if err != nil {
		return nil, err
	}
	c, problem := newCore(path, memoryFile{file: file}, size)
	if problem != "" {
		return nil, &CoreError{Path: path, Problem: problem}
	}
	if c.lost > 0 {
		c.cut = fmt.Sprintf("it was cut off at byte %d, or is still being written", size)
	}
	return c, nil
}

func (c *core) open(o Options) (Target, error) {
	f, err := c.choose(o)
	if err != nil {
		return nil, err
	}
	bytes := f.reserve
	if bytes < layout.HeaderBytes || bytes > mostHeapBytes {
		bytes = uint64(f.reach(c.mappings()))
	}
	return &coreTarget{
		core: c, base: f.Base, size: int64(min(bytes, math.MaxUint64-f.Base)),
		description: Description{Kind: KindCore, PID: c.pid, Program: c.program(), Path: c.path, Heap: f.Name, Door: doorCore},
	}, nil
}

// coreTarget is a heap in a core.
type coreTarget struct {
	*core
	base        uint64
	size        int64
	description Description
	closing     sync.Once
}

func (t *coreTarget) Base() uint64             { return t.base }
func (t *coreTarget) Size() int64              { return t.size }
func (t *coreTarget) Description() Description { return t.description }

func (t *coreTarget) ReadAt(p []byte, offset int64) (int, error) {
	switch {
	case offset < 0:
		return 0, errNegativeOffset
	case len(p) == 0:
		return 0, nil
	case offset >= t.size:
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), t.size-offset))
	if err := t.read(p[:n], t.base+uint64(offset)); err != nil {
		return 0, err
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// data lists what the file holds, without its own holes.
func (t *coreTarget) data(whole Extent) ([]Extent, error) {
	return t.extents(t.filled(t.addressesOf(whole))), nil
}

// Missing lists what the core lacks of the heap: see Partial.
func (t *coreTarget) Missing(whole Extent) []Extent {
	return t.extents(within(t.missing, t.addressesOf(whole)))
}

// Doubtful lists what is zeros, perhaps because it could not be read: see Partial.
func (t *coreTarget) Doubtful(whole Extent) []Extent {
	return t.extents(t.doubtful(t.addressesOf(whole)))
}

func (t *coreTarget) addressesOf(e Extent) addresses {
	if e.Offset < 0 || e.Bytes <= 0 || e.Offset >= t.size {
		return addresses{}
	}
	return addresses{t.base + uint64(e.Offset), t.base + uint64(e.Offset+min(e.Bytes, t.size-e.Offset))}
}

func (t *coreTarget) extents(ranges []addresses) (extents []Extent) {
	for _, r := range ranges {
		extents = append(extents, Extent{int64(r.start - t.base), int64(r.end - r.start)})
	}
	return extents
}

// Warning says that the core has lost its end: see Warner.
func (t *coreTarget) Warning() string {
	if t.cut == "" {
		return ""
	}
	text := fmt.Sprintf("the core %s is not whole: %s", printable(t.path), t.cut)
	if t.lost > 0 {
		text += fmt.Sprintf(". %s of the process's memory are missing, and read as zeros", amount(t.lost))
	}
	return text
}

// Close closes the core. One that was unpacked is gone then.
func (t *coreTarget) Close() (err error) {
	t.closing.Do(func() { err = t.close() })
	return err
}

// origin tells which executable the process ran, by the build ID in its first page, which cores hold unless coredump_filter says
// otherwise.
func (c *core) origin() (symbols.Origin, error) {
	for _, m := range c.files {
		if m.path == c.executable() && m.offset == 0 {
			if id, err := symbols.BuildID(&coreFile{c, m}); err == nil {
				return symbols.Origin{BuildID: id, Entry: c.entry}, nil
			}
		}
	}
	return symbols.Origin{}, ErrNoOrigin
}

// coreFile is a mapped file as far as a core holds it.
type coreFile struct {
	*core
	mapping
}

func (f *coreFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 || uint64(offset) >= f.bytes() {
		return 0, io.EOF
	}
	address := f.start + uint64(offset)
	n := min(uint64(len(p)), f.end-address)
	for n > 0 && !f.holds(address, n) {
		n /= 2
	}
	if err := f.read(p[:n], address); err != nil {
		return 0, err
	}
	if int(n) < len(p) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// ExecutableOf is where the executable of a core was, as the core tells it, or that of a process that has ended; empty: nobody says.
// Another file may be there now.
func ExecutableOf(t Target) string {
	switch t := t.(type) {
	case *coreTarget:
		return strings.TrimSuffix(t.executable(), deleted)
	case interface{ executableOfEnded() string }:
		return t.executableOfEnded()
	}
	return ""
}

// IsCore says whether a file begins as a core does, or is compressed as cores are.
func IsCore(path string) bool {
	file, err := openRegular(path)
	if err != nil {
		return false
	}
	defer file.Close()
	start, err := startOf(file)
	return err == nil && (bytes.HasPrefix(start, []byte(elfMagic)) || packingOf(start) != nil)
}

// ProgramOfCore is the path of the program that a core is of, as the core tells it; empty: it doesn't. ok says whether the file
// is a core at all, one that is not compressed.
func ProgramOfCore(path string) (program string, ok bool) {
	file, err := openRegular(path)
	if err != nil {
		return "", false
	}
	defer file.Close()
	c, err := readCore(path, file)
	switch {
	case err == nil:
		return strings.TrimSuffix(c.executable(), deleted), true
	case errors.As(err, new(*CoreError)):
		return "", true
	}
	return "", false
}
