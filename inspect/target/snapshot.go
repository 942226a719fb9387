package target

import (
	"encoding/binary"
	"hash/crc32"
	"time"
)

// A snapshot file, version 2. All numbers are little-endian; every checksum is CRC-32C.
//
//	header   40 bytes     magic, version, what follows, checksums of the info and of the header
//	info                  SnapshotInfo as JSON
//	chunks                each a zstd frame: what one MiB of the heap holds, without the zero pages at its ends
//	index    32 a chunk   where each chunk belongs, where it lies in the file, its sizes, checksum of the plain bytes
//	footer   40 bytes     where the index is, its checksum, the file's size, magic
//
// Windows of 1 MiB in which all is zero have no chunk. The parts follow each other without a gap and the footer ends the file:
// every byte is covered by a checksum, a truncated file is known at once, and one chunk can be read without the others.
//
// Version 1 is the same without SnapshotInfo.Metadata and Missing: a reader that does not know of these would take bytes that were left
// out for zeros. Both are read; what is written is version 2.
const (
	snapshotMagic   = "GLASSNAP"
	snapshotEnd     = "PANSSALG"
	snapshotVersion = 2

	snapshotHeaderBytes = 40
	snapshotEntryBytes  = 32
	snapshotFooterBytes = 40

	// windowBytes is what one chunk covers at most. It bounds what a reader has to decode, and to hold, for one byte.
	windowBytes = 1 << 20
	// mostPackedBytes is above what zstd makes of a window that can't be compressed.
	mostPackedBytes = windowBytes + windowBytes/128 + 64

	mostInfoBytes = 64 << 10
	mostChunks    = mostHeapBytes / windowBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(bytes []byte) uint32 { return crc32.Checksum(bytes, castagnoli) }

// SnapshotInfo is what a snapshot remembers of where it was taken.
type SnapshotInfo struct {
	PID     int       `json:"pid,omitempty"`
	Program string    `json:"program,omitempty"`
	Heap    string    `json:"heap,omitempty"` // its name
	Base    uint64    `json:"base,omitempty"` // address of the Header in the owning process; 0: only the Header tells
	Size    int64     `json:"size"`           // bytes of the heap; 0 when it is written: up to the last extent's end
	Taken   time.Time `json:"taken,omitzero"` // when
	Format  uint32    `json:"format"`         // layout.Version of the glassheap that took it; 0 when it is written: the current one

	// What names the functions of recorded stacks: see symbols.Origin.
	BuildID string `json:"build_id,omitempty"`
	Entry   uint64 `json:"entry,omitempty"`

	// What the core lacked that it is a snapshot of, as pairs of offset and size: see Partial.
	Missing  [][2]int64 `json:"missing,omitempty"`
	Doubtful [][2]int64 `json:"doubtful,omitempty"`

	// Metadata says that the users' bytes were left out: see Description.
	Metadata bool `json:"metadata,omitempty"`
}

// InfoOf is what a snapshot of these extents of a target should remember. A snapshot of a snapshot remembers the first one's
// origin.
func InfoOf(t Target, extents []Extent, taken time.Time) SnapshotInfo {
	d := t.Description()
	if !d.Taken.IsZero() {
		taken = d.Taken
	}
	i := SnapshotInfo{PID: d.PID, Program: d.Program, Heap: d.Heap, Base: t.Base(), Size: t.Size(), Taken: taken, Metadata: d.Metadata}
	// Without it the snapshot is as good, but for the names of functions.
	if o, err := OriginOf(t); err == nil {
		i.BuildID, i.Entry = o.BuildID, o.Entry
	}
	if p, ok := t.(Partial); ok {
		i.Missing, i.Doubtful = remembered(p.Missing, extents), remembered(p.Doubtful, extents)
	}
	return i
}

// chunk is an entry of the index.
type chunk struct {
	offset int64  // in the heap
	place  int64  // in the file
	bytes  uint32 // plain
	packed uint32 // in the file
	sum    uint32 // checksum of the plain bytes
}

func (c chunk) end() int64 { return c.offset + int64(c.bytes) }

func (c chunk) appendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(c.offset))
	b = binary.LittleEndian.AppendUint64(b, uint64(c.place))
	b = binary.LittleEndian.AppendUint32(b, c.bytes)
	b = binary.LittleEndian.AppendUint32(b, c.packed)
	b = binary.LittleEndian.AppendUint32(b, c.sum)
	return binary.LittleEndian.AppendUint32(b, 0)
}

func parseChunk(b []byte) chunk {
	return chunk{
		offset: int64(binary.LittleEndian.Uint64(b)),
		place:  int64(binary.LittleEndian.Uint64(b[8:])),
		bytes:  binary.LittleEndian.Uint32(b[16:]),
		packed: binary.LittleEndian.Uint32(b[20:]),
		sum:    binary.LittleEndian.Uint32(b[24:]),
	}
}

// header makes the first bytes of a snapshot.
func snapshotHeader(info []byte) []byte {
	b := append(make([]byte, 0, snapshotHeaderBytes+len(info)), snapshotMagic...)
	b = binary.LittleEndian.AppendUint32(b, snapshotVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(info)))
	b = binary.LittleEndian.AppendUint32(b, windowBytes)
	b = binary.LittleEndian.AppendUint32(b, checksum(info))
	b = append(b, make([]byte, snapshotHeaderBytes-4-len(b))...)
	b = binary.LittleEndian.AppendUint32(b, checksum(b))
	return append(b, info...)
}

// footer is the parsed end of a snapshot.
type footer struct {
	index     int64 // place in the file
	chunks    int64
	fileBytes int64
	sum       uint32 // of the index
}

const footerSummed = 28 // bytes of the footer that its checksum covers: all before it

func (f footer) bytes() []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, snapshotFooterBytes), uint64(f.index))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.chunks))
	b = binary.LittleEndian.AppendUint64(b, uint64(f.fileBytes))
	b = binary.LittleEndian.AppendUint32(b, f.sum)
	b = binary.LittleEndian.AppendUint32(b, checksum(b))
	return append(b, snapshotEnd...)
}

func parseFooter(b []byte) (f footer, ok bool) {
	f = footer{
		index:     int64(binary.LittleEndian.Uint64(b)),
		chunks:    int64(binary.LittleEndian.Uint64(b[8:])),
		fileBytes: int64(binary.LittleEndian.Uint64(b[16:])),
		sum:       binary.LittleEndian.Uint32(b[24:]),
	}
	return f, binary.LittleEndian.Uint32(b[footerSummed:]) == checksum(b[:footerSummed])
}
