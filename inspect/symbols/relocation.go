package symbols

import (
	"debug/elf"
	"encoding/binary"
)

const (
	relocationBytes = 24 // elf.Rela64
	dynamicBytes    = 16 // elf.Dyn64
	mostDynamic     = 1 << 12
)

// relative is the type of the relocation that adds where the executable was loaded, and that alone.
func (im *image) relative() (kind uint64, known bool) {
	switch im.machine {
	case elf.EM_X86_64:
		return uint64(elf.R_X86_64_RELATIVE), true
	case elf.EM_AARCH64:
		return uint64(elf.R_AARCH64_RELATIVE), true
	}
	return 0, false
}

// relocations shows the relative relocations: what the word at an address becomes.
func (im *image) relocations(visit func(at, becomes uint64)) {
	kind, known := im.relative()
	table, ok := im.relocationTable()
	if !known || !ok {
		return
	}
	piece := make([]byte, min(table.bytes, scanBytes/relocationBytes*relocationBytes))
	for table.bytes >= relocationBytes {
		piece = piece[:min(int64(len(piece)), table.bytes)]
		if !im.effort.spend(int64(len(piece))) || im.readSome(uint64(table.at), piece) < len(piece) {
			return
		}
		for r := piece; len(r) >= relocationBytes; r = r[relocationBytes:] {
			if binary.LittleEndian.Uint64(r[8:]) == kind {
				visit(binary.LittleEndian.Uint64(r), binary.LittleEndian.Uint64(r[16:]))
			}
		}
		table.at += int64(len(piece))
		table.bytes -= int64(len(piece))
	}
}

// relocationTable is where the dynamic section says that the relocations are. Those in the compact form (DT_RELR) are not
// needed: their words are in the file as they are.
func (im *image) relocationTable() (extent, bool) {
	var address, bytes uint64
	for _, d := range im.dynamic {
		raw := im.read(uint64(d.at), int(min(d.bytes, mostDynamic*dynamicBytes)))
		for ; len(raw) >= dynamicBytes; raw = raw[dynamicBytes:] {
			value := binary.LittleEndian.Uint64(raw[8:])
			switch elf.DynTag(binary.LittleEndian.Uint64(raw)) {
			case elf.DT_RELA:
				address = value
			case elf.DT_RELASZ:
				bytes = value
			}
		}
	}
	if bytes < relocationBytes {
		return extent{}, false
	}
	return im.placeOf(address, bytes-bytes%relocationBytes)
}

// relocatedTo lists words that will hold an address.
func (im *image) relocatedTo(address uint64) []uint64 {
	var found []uint64
	im.relocations(func(at, becomes uint64) {
		if becomes == address && len(found) < mostTables {
			found = append(found, at)
		}
	})
	return found
}

// relocate does to the memory at an address what the loader will do, and says whether that is anything.
func (im *image) relocate(address uint64, memory []byte) (changed bool) {
	im.relocations(func(at, becomes uint64) {
		if at >= address && at-address <= uint64(len(memory)-8) {
			binary.LittleEndian.PutUint64(memory[at-address:], becomes)
			changed = true
		}
	})
	return changed
}
