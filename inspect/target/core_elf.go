package target

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A core is an ELF file (elf(5)): program headers that say which parts of the memory it holds and where, and notes. Everything
// in it may be a lie, and its end may be missing. debug/elf refuses such files as a whole; here what is there is used.

const (
	elfMagic       = "\x7fELF"
	elfHeaderBytes = 64
	programBytes   = 56 // of a program header
	sectionBytes   = 64 // of a section header

	elfCore     = 4 // e_type: ET_CORE
	loadSegment = 1 // p_type: PT_LOAD
	noteSegment = 4 // p_type: PT_NOTE

	mayWrite = 2 // p_flags: PF_W
	mayRead  = 4 // p_flags: PF_R

	extendedCount = 0xffff // PN_XNUM: e_phnum is too small, the first section header has the number
)

// segment is a part of the memory that a core tells of.
type segment struct {
	start, end uint64
	at         int64  // in the file
	dumped     uint64 // bytes, from the start on, that the file holds; the others were left out, or are cut off
	flags      uint32
}

func (s segment) readable() bool { return s.flags&mayRead != 0 }
func (s segment) writable() bool { return s.flags&mayWrite != 0 }

// coreHeaders is what the ELF headers of a core say.
type coreHeaders struct {
	segments []segment // by address
	notes    []Extent  // of the file
	lost     uint64    // bytes that the headers promise and the file lacks
	sections bool      // it has section headers for more than a number: the kernel writes none
}

// recogniseCore says what an ELF file is, if it is no core that can be read; empty: it is one.
func recogniseCore(start []byte) (otherwise string) {
	switch {
	case len(start) < elfHeaderBytes || !strings.HasPrefix(string(start), elfMagic):
		return "it ends within the first header of an ELF file"
	case start[4] != 2 || start[5] != 1:
		return "it is an ELF file of another kind of machine: heaps are of 64-bit programs, little-endian"
	case binary.LittleEndian.Uint16(start[16:]) != elfCore:
		return "it is a program (or a library), not the core of one"
	}
	return ""
}

// readCoreHeaders reads the headers of a file that recogniseCore took for a core.
func readCoreHeaders(file io.ReaderAt, fileBytes int64) (h coreHeaders, problem string) {
	head := make([]byte, elfHeaderBytes)
	if n, err := file.ReadAt(head, 0); n < len(head) {
		return h, fmt.Sprintf("its header can't be read: %v", err)
	}
	table := binary.LittleEndian.Uint64(head[32:])
	count := uint64(binary.LittleEndian.Uint16(head[56:]))
	sections, sectionCount := binary.LittleEndian.Uint64(head[40:]), binary.LittleEndian.Uint16(head[60:])
	h.sections = sections != 0 && sectionCount > 1
	if count == extendedCount {
		first := make([]byte, sectionBytes)
		if sections > math.MaxInt64-sectionBytes {
			return h, "its first section header, which has the number of its segments, lies nowhere"
		}
		if n, err := file.ReadAt(first, int64(sections)); n < len(first) {
			return h, fmt.Sprintf("its first section header, which has the number of its segments, can't be read: %v", err)
		}
		count = uint64(binary.LittleEndian.Uint32(first[44:]))
	}
	size := binary.LittleEndian.Uint16(head[54:])
	switch {
	case count == 0 || table == 0:
		return h, "it has no program headers: it is still being written, or its writer was interrupted"
	case size != programBytes:
		return h, fmt.Sprintf("its program headers have %d bytes instead of %d", size, programBytes)
	case count > mostMappings:
		return h, fmt.Sprintf("it claims to have %d segments", count)
	case table >= uint64(fileBytes):
		return h, fmt.Sprintf("its program headers, which should lie behind byte %d, are missing: it was cut off at byte %d", table, fileBytes)
	}
	if there := (uint64(fileBytes) - table) / programBytes; count > there {
		h.lost += (count - there) * programBytes
		count = there
	}
	entries := make([]byte, 1<<10*programBytes)
	for i := uint64(0); i < count; {
		part := entries[:min(count-i, 1<<10)*programBytes]
		if n, err := file.ReadAt(part, int64(table+i*programBytes)); n < len(part) {
			return h, fmt.Sprintf("its program headers can't be read: %v", err)
		}
		for ; len(part) > 0; part = part[programBytes:] {
			h.add(part, uint64(fileBytes))
			i++
		}
	}
	slices.SortStableFunc(h.segments, func(a, b segment) int { return cmp.Compare(a.start, b.start) })
	return h, ""
}

// add takes a program header.
func (h *coreHeaders) add(entry []byte, fileBytes uint64) {
	word := func(at int) uint64 { return binary.LittleEndian.Uint64(entry[at:]) }
	kind, flags := binary.LittleEndian.Uint32(entry), binary.LittleEndian.Uint32(entry[4:])
	at, start, inFile, inMemory := word(8), word(16), word(32), word(40)
	there := min(inFile, fileBytes-min(at, fileBytes))
	switch {
	case kind == noteSegment:
		h.lost = addUp(h.lost, inFile-there)
		if there > 0 {
			h.notes = append(h.notes, Extent{int64(at), int64(there)})
		}
	case kind == loadSegment && inMemory > 0:
		inMemory = min(inMemory, math.MaxUint64-start)
		h.lost = addUp(h.lost, min(inFile, inMemory)-min(there, inMemory))
		h.segments = append(h.segments, segment{
			start: start, end: start + inMemory, at: int64(min(at, fileBytes)), dumped: min(there, inMemory), flags: flags,
		})
	}
}

// addUp adds what a file claims.
func addUp(a, b uint64) uint64 { return a + min(b, math.MaxUint64-a) }
