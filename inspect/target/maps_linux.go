package target

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mostMapLineBytes is above any line: a path has at most 4096 bytes, each of which takes at most 4 when it is escaped.
const mostMapLineBytes = 64 << 10

// readMaps reads the mappings of a process, sorted by address as the kernel gives them.
func readMaps(proc string) ([]mapping, error) {
	file, err := os.Open(proc + "/maps")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var maps []mapping
	paths := map[string]string{} // most mappings share a few paths
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 0, 64<<10), mostMapLineBytes)
	for lines.Scan() {
		m, ok := parseMapping(lines.Bytes(), paths)
		if !ok {
			return nil, fmt.Errorf("%s/maps has a line that makes no sense: %q", proc, printable(lines.Text()))
		}
		if len(maps) == mostMappings {
			return nil, fmt.Errorf("%s/maps has more than %d lines", proc, mostMappings)
		}
		maps = append(maps, m)
	}
	return maps, lines.Err()
}

// parseMapping reads a line such as
//
//	7effc8a00000-7effc8a15000 rw-s 00000000 00:01 1664                       /memfd:glassheap:one two (deleted)
func parseMapping(line []byte, paths map[string]string) (m mapping, ok bool) {
	var fields [5]string
	rest := line
	for i := range fields {
		field, after, _ := bytes.Cut(rest, []byte(" "))
		fields[i], rest = string(field), after
	}
	from, to, _ := strings.Cut(fields[0], "-")
	major, minor, _ := strings.Cut(fields[3], ":")
	numbers := true
	number := func(text string, base int) uint64 {
		n, err := strconv.ParseUint(text, base, 64)
		numbers = numbers && err == nil
		return n
	}
	m.start, m.end, m.offset, m.inode = number(from, 16), number(to, 16), number(fields[2], 16), number(fields[4], 10)
	m.device = unix.Mkdev(uint32(number(major, 16)), uint32(number(minor, 16)))
	if !numbers || m.end <= m.start || len(fields[1]) != 4 {
		return mapping{}, false
	}
	m.readable, m.writable, m.shared = fields[1][0] == 'r', fields[1][1] == 'w', fields[1][3] == 's'
	if path := bytes.TrimLeft(rest, " "); len(path) > 0 {
		known, seen := paths[string(path)]
		if !seen {
			// The kernel escapes line breaks, and nothing else, in a path.
			known = strings.ReplaceAll(string(path), `\012`, "\n")
			paths[string(path)] = known
		}
		m.path = known
	}
	return m, true
}
