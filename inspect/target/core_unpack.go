package target

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A compressed core can't be read here and there: it is unpacked once, into a temporary file without a name, in which zeros take no
// room. Nothing has to be cleaned up where the system lets an open file be removed, however this program ends.

// packing is a way in which cores are compressed.
type packing struct {
	name, magic, tool string
	open              func(io.Reader) (io.ReadCloser, error)
}

// mostWindow is the window that zstd takes without being asked for more (zstd --long=27).
const mostWindow = 128 << 20

var packings = []packing{
	{"gzip", "\x1f\x8b", "gunzip", func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) }},
	{"zstd", "\x28\xb5\x2f\xfd", "unzstd --long=31", func(r io.Reader) (io.ReadCloser, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(mostWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	}},
}

// packingOf is how a file is compressed, by its first bytes; nil: it isn't.
func packingOf(start []byte) *packing {
	for i := range packings {
		if bytes.HasPrefix(start, []byte(packings[i].magic)) {
			return &packings[i]
		}
	}
	return nil
}

const (
	// mostUnpacked bounds what a compressed core may become, zeros included.
	mostUnpacked = 1 << 40
	// unpackStep is how much is unpacked between looks at the disk and at ctx.
	unpackStep = 1 << 20
	// leftFree is what unpacking leaves of the disk for others.
	leftFree = 256 << 20
)

// counted counts what is read of a file.
type counted struct {
	io.Reader
	bytes atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// unpack makes a plain file of a compressed core. cut says that its end was lost, and why; empty: it wasn't.
func unpack(ctx context.Context, path string, packed *os.File, start []byte, most int64, progress func(done, total int64)) (plain *unpacked, cut string, err error) {
	how := packingOf(start)
	total, err := sizeOf(packed)
	if err != nil {
		return nil, "", err
	}
	source := &counted{Reader: io.NewSectionReader(packed, 0, total)}
	buffer := make([]byte, unpackStep)
	n := 0
	reader, problem := how.open(source)
	if problem == nil {
		defer reader.Close()
		n, problem = fill(reader, buffer)
	}
	if otherwise := recogniseCore(buffer[:n]); otherwise != "" {
		if n < elfHeaderBytes && problem != nil && problem != io.EOF {
			otherwise = fmt.Sprintf("it can't be unpacked (%v); try %s", problem, how.tool)
		}
		return nil, "", &FormatError{Path: path, Found: "it is compressed by " + how.name + ", and no core is inside: " + otherwise}
	}
	file, err := createUnpacked()
	if err != nil {
		return nil, "", fmt.Errorf("%s is compressed and can't be unpacked: %w", printable(path), err)
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		if err := file.append(buffer[:n]); err != nil {
			return nil, "", fmt.Errorf("%s can't be unpacked into %s: %w. Unpack it elsewhere by %s, or set TMPDIR to a folder with more room", printable(path), os.TempDir(), err, how.tool)
		}
		if progress != nil {
			progress(source.bytes.Load(), total)
		}
		switch {
		case problem == io.EOF:
			return file, "", file.finish()
		case problem != nil:
			return file, fmt.Sprintf("it can't be unpacked beyond byte %d (%v)", file.size, problem), file.finish()
		case file.size >= most:
			return nil, "", fmt.Errorf("%s holds more than %d MiB: unpack it by %s", printable(path), most>>20, how.tool)
		}
		n, problem = fill(reader, buffer)
	}
}

// fill reads until p is full. Its error is the reader's: io.EOF says that nothing is missing.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = r.Read(p[n:])
		n += more
	}
	return n, err
}

// unpacked is the temporary file of a core that was compressed.
type unpacked struct {
	*os.File
	named     bool  // this system does not let it be removed while it is open
	size      int64 // with zeros
	unchecked int64 // bytes that were written since somebody looked how much room there is
	written   int64 // bytes that take room
	free      func(*os.File) (bytes uint64, known bool)
}

func createUnpacked() (*unpacked, error) {
	file, err := os.CreateTemp("", "glassheap-core-*")
	if err != nil {
		return nil, err
	}
	u := &unpacked{File: file, unchecked: mostUnchecked, free: freeBytes}
	u.named = os.Remove(file.Name()) != nil
	return u, nil
}

const (
	// mostUnchecked is how much is written between looks at the disk.
	mostUnchecked = 64 << 20
	// zeroRun is how many zeros make a hole.
	zeroRun = 64 << 10
)

var zeros [zeroRun]byte

// append writes the next bytes; zeros are passed over.
func (u *unpacked) append(p []byte) error {
	for len(p) > 0 {
		part := p[:min(len(p), zeroRun)]
		if !bytes.Equal(part, zeros[:len(part)]) {
			if err := u.makeSure(); err != nil {
				return err
			}
			if _, err := u.WriteAt(part, u.size); err != nil {
				return err
			}
			u.unchecked += int64(len(part))
			u.written += int64(len(part))
		}
		u.size += int64(len(part))
		p = p[len(part):]
	}
	return nil
}

// makeSure fails when the disk is nearly full.
func (u *unpacked) makeSure() error {
	if u.unchecked < mostUnchecked {
		return nil
	}
	u.unchecked = 0
	if free, known := u.free(u.File); known && free < leftFree+mostUnchecked {
		return fmt.Errorf("%s are written, more is to come and needs %s free, %s of them to be left for others; %s are free there",
			amount(uint64(u.written)), amount(leftFree+mostUnchecked), amount(leftFree), amount(free))
	}
	return nil
}

// finish gives the file its size: it may end in a hole.
func (u *unpacked) finish() error { return u.Truncate(u.size) }

// Close makes the file go away.
func (u *unpacked) Close() error {
	err := u.File.Close()
	if u.named {
		err = errors.Join(err, os.Remove(u.Name()))
	}
	return err
}
