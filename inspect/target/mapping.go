package target

import (
	"slices"
	"strings"
)

// mapping is a part of a process's address space: one line of /proc/PID/maps (proc_pid_maps(5)), or a segment of a core.
type mapping struct {
	start, end uint64
	offset     uint64 // in the file
	device     uint64
	inode      uint64 // 0: no file
	path       string // "/memfd:glassheap:sessions (deleted)", "[stack]", "[anon: …]"
	readable   bool
	writable   bool
	shared     bool
}

func (m mapping) bytes() uint64 { return m.end - m.start }

// anonymous says that the mapping may be part of a heap's anonymous memory. The parts that Go's runtime labels as its own are
// not, nor is what has another name in brackets.
func (m mapping) anonymous() bool {
	if m.inode != 0 || m.shared {
		return false
	}
	return m.path == "" || strings.HasPrefix(m.path, "[anon:") && !strings.HasPrefix(m.path, "[anon: Go:")
}

// mostMappings is more than any process has: vm.max_map_count is 65530 by default, some databases raise it to a million.
const mostMappings = 1 << 22

// base is where offset 0 of the mapping's file would lie.
func (m mapping) base() (base uint64, ok bool) { return m.start - m.offset, m.start > m.offset }

// byFile groups the mappings of wanted files by file, in the order of their first addresses.
func byFile(maps []mapping, wanted func(mapping) bool) [][]mapping {
	type id struct{ device, inode uint64 }
	var groups [][]mapping
	at := map[id]int{}
	for _, m := range maps {
		if m.inode == 0 || !wanted(m) {
			continue
		}
		i, seen := at[id{m.device, m.inode}]
		if !seen {
			i = len(groups)
			at[id{m.device, m.inode}] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

// mappingAt is the index of the first mapping that ends behind an address.
func mappingAt(maps []mapping, address uint64) int {
	i, _ := slices.BinarySearchFunc(maps, address, func(m mapping, address uint64) int {
		if m.end <= address {
			return -1
		}
		return 1
	})
	return i
}

// readableWithin lists the accessible parts of a range, as offsets from its start.
func readableWithin(maps []mapping, base uint64, bytes int64) []Extent {
	var parts []Extent
	covered := base
	for _, m := range maps[mappingAt(maps, base):] {
		if m.start >= base+uint64(bytes) {
			break
		}
		start, end := max(m.start, covered), min(m.end, base+uint64(bytes))
		if !m.readable || start >= end {
			continue
		}
		parts = append(parts, Extent{int64(start - base), int64(end - start)})
		covered = end
	}
	return join(parts, 0)
}
