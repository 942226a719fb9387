package target

import (
	"context"
	"encoding/binary"
)

// Roots reads what the process could write to, as far as the core holds it, and the registers of its threads: see Rooted.
func (t *coreTarget) Roots(ctx context.Context, visit func(piece []byte)) (total int64, err error) {
	if t.lacksStacks() {
		return 0, &NoRootsError{Target: t.description}
	}
	if len(t.registers) > 0 {
		visit(t.registers)
		total += int64(len(t.registers))
	}
	buffer := make([]byte, rootPiece)
	for _, root := range t.roots() {
		for _, held := range within(t.held, root) {
			for _, part := range t.filled(held) {
				for at := (part.start + 7) &^ 7; at < part.end; at += rootPiece {
					if err := ctx.Err(); err != nil {
						return total, err
					}
					piece := buffer[:min(rootPiece, part.end-at)&^7]
					if err := t.read(piece, at); err != nil {
						return total, err
					}
					visit(piece)
					total += int64(len(piece))
				}
			}
		}
	}
	return total, nil
}

// MissingRoots is how many bytes the process could write to, the heap left aside, that the core does not hold: see Rooted.
func (t *coreTarget) MissingRoots() (total uint64) {
	for _, root := range t.roots() {
		for _, m := range within(t.missing, root) {
			total = addUp(total, m.end-m.start)
		}
	}
	return total
}

// lacksStacks reports whether no register leads to memory that is there and could be written to. The stack pointer of a thread
// does: where not even stacks were dumped (core(5): coredump_filter), nothing can be said of what refers to a block. gcore does
// not list what it left out.
func (t *coreTarget) lacksStacks() bool {
	var there []addresses
	for _, root := range t.roots() {
		there = append(there, within(t.held, root)...)
	}
	for words := t.registers; len(words) >= 8; words = words[8:] {
		if word := binary.LittleEndian.Uint64(words); len(within(there, addresses{word, addUp(word, 1)})) > 0 {
			return false
		}
	}
	return len(t.registers) > 0
}

// roots is the memory that could be written to, without the heap's, dumped or not.
func (t *coreTarget) roots() (ranges []addresses) {
	maps := t.mappings()
	for i := range maps {
		maps[i].readable = true
	}
	for _, m := range rootsOf(maps, t.base, uint64(t.size)) {
		ranges = append(ranges, addresses{m.start, m.end})
	}
	return united(ranges)
}
