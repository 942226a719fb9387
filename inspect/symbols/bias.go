package symbols

import "slices"

// Mapping is a range of a process's memory that shows a part of the executable: a line of /proc/PID/maps with its path, an
// entry of a core's NT_FILE note.
type Mapping struct {
	Start, End uint64
	Offset     uint64 // in the executable
}

const (
	pageSize     = 4 << 10 // the least that any kernel maps
	mostMappings = 1 << 10
)

// Bias tells how far from where it was linked the executable was loaded, from where its parts are mapped: the difference at
// which every loaded segment is mapped, each as the loader does it, with a mapping of its own. It is 0 for an executable that
// is linked for one address. Mappings that somebody reads the file through do no harm.
func (t *Table) Bias(mappings []Mapping) (uint64, error) {
	mappings = mappings[:min(len(mappings), mostMappings)]
	parts := map[uint64]int{} // mappings that agree on a difference
	for _, m := range mappings {
		for i, s := range t.image.segments {
			bias, ok := s.biasIn(m)
			// Segments that lie in the file as they do in memory agree about a mapping: it is counted once.
			seen := slices.ContainsFunc(t.image.segments[:i], func(before segment) bool {
				other, ok := before.biasIn(m)
				return ok && other == bias
			})
			if ok && !seen && t.isBias(bias) {
				parts[bias]++
			}
		}
	}
	best, most, several := uint64(0), 1, false
	for bias, n := range parts {
		if n >= most && t.fits(bias, mappings) {
			best, most, several = bias, n, n == most
		}
	}
	switch {
	case most == 1:
		return 0, &BiasError{"its segments are not mapped as its headers say"}
	case several:
		return 0, &BiasError{"it is mapped more than once"}
	}
	return best, nil
}

// biasIn is the difference at which a mapping shows a part of the segment.
func (s segment) biasIn(m Mapping) (bias uint64, ok bool) {
	at, bytes := uint64(s.at), m.End-m.Start
	if m.End <= m.Start || m.Offset >= at+s.bytes || at >= m.Offset && at-m.Offset >= bytes {
		return 0, false
	}
	return m.Start + at - m.Offset - s.address, true
}

// BiasOfEntry tells the same from where the program's code starts: AT_ENTRY in /proc/PID/auxv or a core's NT_AUXV note.
func (t *Table) BiasOfEntry(entry uint64) (uint64, error) {
	bias := entry - t.image.entry
	if entry == 0 || !t.isBias(bias) {
		return 0, &BiasError{"the program's entry is not where its headers say"}
	}
	return bias, nil
}

func (t *Table) isBias(bias uint64) bool {
	return bias%pageSize == 0 && (bias == 0 || !t.image.fixed)
}

// fits says whether each segment's start is mapped from where it is in the file.
func (t *Table) fits(bias uint64, mappings []Mapping) bool {
	for _, s := range t.image.segments {
		at := s.address + bias
		mapped := slices.ContainsFunc(mappings, func(m Mapping) bool {
			return at >= m.Start && at < m.End && at-m.Start+m.Offset == uint64(s.at)
		})
		if s.bytes > 0 && !mapped {
			return false
		}
	}
	return true
}
