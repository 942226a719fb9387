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
// which every loaded segment is mapped. It is 0 for an executable that is linked for one address. Mappings that are not the
// loader's do no harm.
func (t *Table) Bias(mappings []Mapping) (uint64, error) {
	mappings = slices.Clone(mappings[:min(len(mappings), mostMappings)])
	tried := map[uint64]bool{}
	for _, m := range mappings {
		for _, s := range t.image.segments {
			if s.bytes == 0 || m.Offset > uint64(s.at) || uint64(s.at)-m.Offset >= m.End-m.Start {
				continue
			}
			bias := m.Start + (uint64(s.at) - m.Offset) - s.address
			if tried[bias] {
				continue
			}
			tried[bias] = true
			if len(tried) > mostMappings {
				return 0, &BiasError{"too many places are possible"}
			}
			if t.isBias(bias) && t.fits(bias, mappings) {
				return bias, nil
			}
		}
	}
	return 0, &BiasError{"its segments are not mapped as its headers say"}
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
