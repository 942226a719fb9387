package inspect

import "fmt"

// mostProblems is how many problems are described one by one. Memory that lies can have one in every word of its metadata: the
// others are only counted.
const mostProblems = 1000

// problems is what is wrong with the metadata.
type problems struct {
	described []Finding
	damage    int // further ones
	unsettled int // further ones that could be an operation under way
}

// add takes a problem. What it is described by is made only if there is room for it.
func (p *problems) add(underWay bool, describe func() Finding) {
	switch {
	case len(p.described) < mostProblems:
		p.described = append(p.described, describe())
	case underWay:
		p.unsettled++
	default:
		p.damage++
	}
}

// findings are the problems, and how many more there are.
func (p *problems) findings() []Finding {
	all := p.described
	for _, more := range []struct {
		n        int
		severity Severity
	}{{p.damage, SeverityDamage}, {p.unsettled, SeverityUnsettled}} {
		if more.n > 0 {
			all = append(all[:len(all):len(all)], Finding{Code: CodeMetadata, Severity: more.severity,
				Summary: fmt.Sprintf("%d more %s of the metadata, not listed", more.n, plural(more.n, "problem"))})
		}
	}
	return all
}
