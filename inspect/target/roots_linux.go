package target

import (
	"context"
	"encoding/binary"
	"os"
)

// Roots reads what the process can write to, and the registers of its threads while it is held by Stop: see Rooted. Pages that
// the process never touched are not read, for reading them would give them memory.
func (t *otherProcess) Roots(ctx context.Context, visit func(piece []byte)) (total int64, err error) {
	maps, err := readMaps(t.proc.dir)
	if err != nil {
		return 0, t.proc.explain("look into", err)
	}
	m := newProcessMemory(t.proc)
	defer m.Close()
	if m.denied != nil {
		return 0, t.proc.refused("look into", m.denied)
	}
	pages, err := os.Open(t.proc.dir + "/pagemap")
	if err == nil {
		defer pages.Close()
	}
	t.lock.Lock()
	held := t.held
	t.lock.Unlock()
	if held != nil {
		words := held.registers()
		visit(words)
		total += int64(len(words))
	}
	buffer := make([]byte, rootPiece)
	for _, part := range rootsOf(maps, t.base, uint64(t.Size())) {
		for at := part.start; at < part.end; {
			if err := ctx.Err(); err != nil {
				return total, err
			}
			end := min(part.end, (at/rootPiece+1)*rootPiece)
			for _, run := range touched(pages, at, end, part.shared) {
				piece := buffer[:run[1]-run[0]]
				if err := m.fill(piece, run[0]); err != nil {
					return total, err
				}
				visit(piece)
				total += int64(len(piece))
			}
			at = end
		}
	}
	return total, nil
}

const (
	pagePresent = 1 << 63 // bits of /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst of Linux
	pageSwapped = 1 << 62
)

// touched are the runs of pages that hold something. Where that can't be told, it is all of a private mapping, and nothing of
// a shared one, whose holes would be filled.
func touched(pages *os.File, start, end uint64, shared bool) (runs [][2]uint64) {
	entries := make([]byte, (end-start)/pageBytes*8)
	if pages == nil {
		entries = nil
	} else if _, err := pages.ReadAt(entries, int64(start/pageBytes*8)); err != nil {
		entries = nil
	}
	if entries == nil {
		if shared {
			return nil
		}
		return [][2]uint64{{start, end}}
	}
	for at := start; at < end; at += pageBytes {
		entry := binary.LittleEndian.Uint64(entries[(at-start)/pageBytes*8:])
		if entry&(pagePresent|pageSwapped) == 0 {
			continue
		}
		if last := len(runs) - 1; last >= 0 && runs[last][1] == at {
			runs[last][1] += pageBytes
		} else {
			runs = append(runs, [2]uint64{at, at + pageBytes})
		}
	}
	return runs
}

// MissingRoots is 0: a process has all of its memory.
func (t *otherProcess) MissingRoots() uint64 { return 0 }
