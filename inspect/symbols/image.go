package symbols

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
)

// Sizes of ELF's structs for 64 bits (elf(5)).
const (
	headerBytes  = 64
	segmentBytes = 56
	sectionBytes = 64
)

const (
	mostSegments = 256
	mostSections = 4096
	mostName     = 64 // bytes of a section's name
)

// image is what an executable says of its memory. debug/elf is not used: it refuses a file for odd section headers, which
// nothing here depends on, and copies all of a string table for each section of a hostile file.
type image struct {
	file     io.ReaderAt
	machine  elf.Machine
	fixed    bool // linked for one address: not position-independent
	entry    uint64
	segments []segment // those that are loaded
	dynamic  []extent
	notes    []extent
	sections []section // those that are loaded; none when the section headers are gone
	effort   effort
}

// segment is a part of the file that is loaded.
type segment struct {
	address, bytes       uint64
	at                   int64 // in the file
	writable, executable bool
}

// extent is a part of the file.
type extent struct{ at, bytes int64 }

func (e extent) end() int64 { return e.at + e.bytes }

type section struct {
	name    string
	address uint64
}

// readImage reads the headers of an executable.
func readImage(file io.ReaderAt) (*image, error) {
	raw := make([]byte, headerBytes)
	if _, err := file.ReadAt(raw, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &FormatError{"it is too short"}
		}
		return nil, err
	}
	switch {
	case string(raw[:4]) != elf.ELFMAG:
		return nil, &FormatError{"it is no ELF file"}
	case raw[elf.EI_CLASS] != byte(elf.ELFCLASS64) || raw[elf.EI_DATA] != byte(elf.ELFDATA2LSB):
		return nil, &FormatError{"it is not for a 64-bit little-endian machine"}
	}
	var head elf.Header64
	decode(raw, &head)
	im := &image{file: file, machine: elf.Machine(head.Machine), entry: head.Entry, effort: effort{mostScanned}}
	switch elf.Type(head.Type) {
	case elf.ET_EXEC:
		im.fixed = true
	case elf.ET_DYN:
	default:
		return nil, &FormatError{"it is an ELF file of another kind: " + elf.Type(head.Type).String()}
	}
	if err := im.readSegments(&head); err != nil {
		return nil, err
	}
	im.readSections(&head)
	return im, nil
}

func decode(raw []byte, into any) {
	// The sizes are constants, so this can't fail.
	_ = binary.Read(bytes.NewReader(raw), binary.LittleEndian, into)
}

func (im *image) readSegments(head *elf.Header64) error {
	if head.Phentsize != segmentBytes || head.Phnum == 0 || head.Phnum > mostSegments {
		return &FormatError{"it has no program headers"}
	}
	raw := im.read(head.Phoff, int(head.Phnum)*segmentBytes)
	if raw == nil {
		return &FormatError{"its program headers are not there"}
	}
	for ; len(raw) > 0; raw = raw[segmentBytes:] {
		var p elf.Prog64
		decode(raw[:segmentBytes], &p)
		// What lies or ends outside of what an int64 can tell is no part of a file, nor of a process.
		if p.Off >= 1<<62 || p.Filesz >= 1<<62 || p.Vaddr >= 1<<62 {
			continue
		}
		part := extent{int64(p.Off), int64(p.Filesz)}
		switch elf.ProgType(p.Type) {
		case elf.PT_LOAD:
			flags := elf.ProgFlag(p.Flags)
			im.segments = append(im.segments, segment{
				address: p.Vaddr, bytes: p.Filesz, at: int64(p.Off),
				writable: flags&elf.PF_W != 0, executable: flags&elf.PF_X != 0,
			})
		case elf.PT_DYNAMIC:
			im.dynamic = append(im.dynamic, part)
		case elf.PT_NOTE:
			im.notes = append(im.notes, part)
		}
	}
	return nil
}

// readSections reads what is there; nothing of it is needed.
func (im *image) readSections(head *elf.Header64) {
	if head.Shentsize != sectionBytes || head.Shnum == 0 || head.Shstrndx >= min(head.Shnum, mostSections) {
		return
	}
	raw := im.read(head.Shoff, int(min(head.Shnum, mostSections))*sectionBytes)
	if raw == nil {
		return
	}
	var names elf.Section64
	decode(raw[int(head.Shstrndx)*sectionBytes:][:sectionBytes], &names)
	for ; len(raw) > 0; raw = raw[sectionBytes:] {
		var s elf.Section64
		decode(raw[:sectionBytes], &s)
		if elf.SectionFlag(s.Flags)&elf.SHF_ALLOC == 0 || uint64(s.Name) >= names.Size {
			continue
		}
		name := make([]byte, mostName)
		n := im.readSome(names.Off+uint64(s.Name), name)
		if end := bytes.IndexByte(name[:n], 0); end > 0 {
			im.sections = append(im.sections, section{string(name[:end]), s.Addr})
		}
	}
}

// read is a part of the file; nil when not all of it is there.
func (im *image) read(at uint64, n int) []byte {
	into := make([]byte, n)
	if im.readSome(at, into) < n {
		return nil
	}
	return into
}

func (im *image) readSome(at uint64, into []byte) int {
	if at >= 1<<62 {
		return 0
	}
	n, _ := im.file.ReadAt(into, int64(at))
	return max(n, 0)
}

// place is where an address is in the file, with all that follows it in its segment.
func (im *image) place(address uint64) (extent, bool) {
	for _, s := range im.segments {
		if address >= s.address && address-s.address < s.bytes {
			inside := address - s.address
			return extent{s.at + int64(inside), int64(s.bytes - inside)}, true
		}
	}
	return extent{}, false
}

// placeOf is where a range of addresses is in the file.
func (im *image) placeOf(address, bytes uint64) (extent, bool) {
	e, ok := im.place(address)
	if !ok || bytes > uint64(e.bytes) {
		return extent{}, false
	}
	e.bytes = int64(bytes)
	return e, true
}

// isCode says whether an address, or one that ends code, is in an executable segment.
func (im *image) isCode(address uint64) bool {
	for _, s := range im.segments {
		if s.executable && address >= s.address && address-s.address <= s.bytes {
			return true
		}
	}
	return false
}

// addressOf is the first address of the section with one of these names.
func (im *image) addressOf(names ...string) (uint64, bool) {
	for _, s := range im.sections {
		for _, name := range names {
			if s.name == name {
				return s.address, true
			}
		}
	}
	return 0, false
}

// scanBytes is how much is looked through at a time.
const scanBytes = 256 << 10

// scan shows a segment's bytes in overlapping pieces, as far as the effort goes, until visit returns false. A piece starts at
// the address; it shares the last overlap bytes with the next one.
func (im *image) scan(s segment, overlap int, visit func(address uint64, piece []byte) bool) {
	piece := make([]byte, min(scanBytes, s.bytes))
	for done := uint64(0); done < s.bytes; {
		want := piece[:min(uint64(len(piece)), s.bytes-done)]
		if !im.effort.spend(int64(len(want))) {
			return
		}
		n := im.readSome(uint64(s.at)+done, want)
		if n == 0 || !visit(s.address+done, want[:n]) {
			return
		}
		if n <= overlap || done+uint64(n) == s.bytes {
			return
		}
		done += uint64(n - overlap)
	}
}
