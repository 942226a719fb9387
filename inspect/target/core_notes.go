package target

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// The notes of a core (elf(5), fs/binfmt_elf.c of Linux; pkg/elfwriter and pkg/proc/dump.go of Delve).
const (
	noteThread   = 1          // NT_PRSTATUS: a thread's registers
	noteFloating = 2          // NT_FPREGSET
	noteProcess  = 3          // NT_PRPSINFO
	noteVector   = 6          // NT_AUXV
	noteExtended = 0x202      // NT_X86_XSTATE: the vector registers, which Delve writes without NT_FPREGSET
	noteFiles    = 0x46494c45 // NT_FILE: "FILE"
	noteSignal   = 0x53494749 // NT_SIGINFO: "SIGI"

	noteDelve       = 0x444c5645 // "DLVE": text
	noteDelveThread = 0x444c5654 // "DLVT": registers by their names
)

// mostNoteBytes bounds the notes: a thread has a few KiB, a mapped file some hundred bytes.
const mostNoteBytes = 128 << 20

// coreNotes is what the notes of a core say.
type coreNotes struct {
	pid       int
	name      string // of the program, as the kernel cuts it
	entry     uint64 // where the program started; 0: nothing tells
	files     []mapping
	registers []byte // of all threads: words
	signal    int    // that ended the process
	fault     uint64 // the address that it was about
	delve     bool   // Delve has written the core
}

func readCoreNotes(file io.ReaderAt, extents []Extent) (c coreNotes) {
	left := int64(mostNoteBytes)
	for _, e := range extents {
		raw := make([]byte, min(e.Bytes, left))
		n, _ := file.ReadAt(raw, e.Offset)
		left -= int64(n)
		for raw = raw[:n]; ; {
			note, rest, ok := symbols.CutNote(raw)
			if !ok {
				break
			}
			c.add(note)
			raw = rest
		}
	}
	slices.SortStableFunc(c.files, func(a, b mapping) int { return cmp.Compare(a.start, b.start) })
	return c
}

func (c *coreNotes) add(n symbols.Note) {
	switch n.Kind {
	case noteThread, noteFloating, noteExtended:
		c.registers = append(c.registers, n.Text[:len(n.Text)&^7]...)
	case noteProcess:
		const id, name, nameEnd = 24, 40, 56 // struct elf_prpsinfo of 64-bit systems
		if len(n.Text) >= nameEnd {
			c.pid = pidOf(uint64(binary.LittleEndian.Uint32(n.Text[id:])))
			text, _, _ := bytes.Cut(n.Text[name:nameEnd], []byte{0})
			c.name = printable(string(text))
		}
	case noteSignal:
		// siginfo_t of 64-bit systems. A code above 0 is the kernel's: then SIGSEGV and SIGBUS have an address.
		const code, address, segv, bus = 8, 16, 11, 7
		if len(n.Text) >= address+8 && c.signal == 0 {
			c.signal = int(binary.LittleEndian.Uint32(n.Text) & 0x7f)
			if (c.signal == segv || c.signal == bus) && int32(binary.LittleEndian.Uint32(n.Text[code:])) > 0 {
				c.fault = binary.LittleEndian.Uint64(n.Text[address:])
			}
		}
	case noteVector:
		c.entry, _ = symbols.EntryOf(n.Text)
	case noteFiles:
		c.addFiles(n.Text)
	case noteDelve:
		c.delve = true
		for line := range strings.Lines(string(n.Text)) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "Target Pid: "); ok && c.pid == 0 {
				id, _ := strconv.ParseUint(text, 10, 32)
				c.pid = pidOf(id)
			}
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), "Entry Point: "); ok && c.entry == 0 {
				c.entry, _ = strconv.ParseUint(text, 0, 64)
			}
		}
	case noteDelveThread:
		c.addDelveThread(n.Text)
	}
}

func pidOf(id uint64) int {
	if id > mostProcessID {
		return 0
	}
	return int(id)
}

// addFiles reads the mapped files: how many, the size of a page, three words for each, then the paths. Files are told apart by
// their paths, which stand in for their inodes.
func (c *coreNotes) addFiles(text []byte) {
	if len(text) < 16 || c.files != nil {
		return
	}
	count, page := binary.LittleEndian.Uint64(text), binary.LittleEndian.Uint64(text[8:])
	if count > uint64(len(text)-16)/24 || count > mostMappings {
		return
	}
	paths := text[16+24*count:]
	known := map[string]uint64{}
	for i := range count {
		raw, rest, ok := bytes.Cut(paths, []byte{0})
		if !ok {
			return
		}
		paths = rest
		row := text[16+24*i:]
		m := mapping{
			start: binary.LittleEndian.Uint64(row), end: binary.LittleEndian.Uint64(row[8:]), path: string(raw), shared: true,
		}
		pages := binary.LittleEndian.Uint64(row[16:])
		if m.end <= m.start || page != 0 && pages > math.MaxUint64/page {
			continue
		}
		m.offset = pages * page
		if known[m.path] == 0 {
			known[m.path] = uint64(len(known) + 1)
		}
		m.inode = known[m.path]
		c.files = append(c.files, m)
	}
}

// addDelveThread reads the registers that Delve wrote: five words, whether there is a goroutine, which, then the registers, each
// with its name.
func (c *coreNotes) addDelveThread(text []byte) {
	const head = 5*8 + 1 + 8
	if len(text) < head+4 {
		return
	}
	c.registers = append(c.registers, text[:5*8]...)
	rest := text[head+4:]
	field := func() (value []byte, ok bool) {
		if len(rest) < 2 {
			return nil, false
		}
		n := int(binary.LittleEndian.Uint16(rest))
		if len(rest) < 2+n {
			return nil, false
		}
		value, rest = rest[2:2+n], rest[2+n:]
		return value, true
	}
	for range binary.LittleEndian.Uint32(text[head:]) {
		if _, ok := field(); !ok {
			return
		}
		value, ok := field()
		if !ok {
			return
		}
		c.registers = append(c.registers, value[:len(value)&^7]...)
	}
}

// executable is the path of the program: of the file that is mapped where it started. Empty: nothing tells.
func (c *coreNotes) executable() string {
	for _, m := range c.files {
		if m.start <= c.entry && c.entry < m.end {
			return m.path
		}
	}
	return ""
}

// program is the name of the executable, whole where the core tells it.
func (c *coreNotes) program() string {
	if path := c.executable(); path != "" {
		return printable(filepath.Base(strings.TrimSuffix(path, deleted)))
	}
	return c.name
}
