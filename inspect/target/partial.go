package target

// Partial is a Target that may lack bytes which its owner had: a core from which memory was left out, or that was cut off, and a
// snapshot of one. What is missing reads as zeros. It must not be taken for damage.
type Partial interface {
	// Missing lists what is missing within an extent, sorted and apart. What was never accessible is not missing.
	Missing(within Extent) []Extent

	// Doubtful lists what reads as zeros within an extent, perhaps only because whoever wrote the core could not read it: gcore
	// and Delve leave zeros behind an inaccessible page. What the heap never used is there, too.
	Doubtful(within Extent) []Extent
}

// overlaps are the parts of sorted extents that lie within one.
func overlaps(sorted []Extent, within Extent) (parts []Extent) {
	for _, e := range sorted {
		if start, end := max(e.Offset, within.Offset), min(e.end(), within.end()); start < end {
			parts = append(parts, Extent{start, end - start})
		}
	}
	return parts
}

// mostRemembered bounds how many extents of a kind a snapshot's info has, so that it keeps its size (mostInfoBytes).
const mostRemembered = 1000

// remembered lists what is missing of extents as a snapshot's info has it: where there is too much of it, with what lies between.
func remembered(missing func(Extent) []Extent, extents []Extent) (pairs [][2]int64) {
	var all []Extent
	for _, e := range extents {
		all = append(all, missing(e)...)
	}
	all, err := normalise(all)
	if err != nil {
		return nil
	}
	for gap := int64(4 << 10); len(all) > mostRemembered; gap *= 4 {
		all = join(all, gap)
	}
	for _, e := range all {
		pairs = append(pairs, [2]int64{e.Offset, e.Bytes})
	}
	return pairs
}

// recalled is what remembered made; an error where it can't have.
func recalled(pairs [][2]int64) ([]Extent, error) {
	var all []Extent
	for _, p := range pairs {
		all = append(all, Extent{p[0], p[1]})
	}
	return normalise(all)
}
