package inspect

import "strings"

// selection counts the structs that were judged and keeps those that StructsOptions want, the first ones that come by. Goroutines may
// each fill one of their own.
type selection struct {
	StructsOptions
	kept []Judgement
	of   map[selected]int // how many of these are kept

	judged, fields  int
	wrong, underWay int                                    // fields
	left            int                                    // structs that have no wrong field and are not kept
	faulty          struct{ structs, wrong, underWay int } // that are not kept
}

// selected is what structs are counted by.
type selected struct {
	kind   string
	faulty bool // a field is wrong, or may be changing
}

func newSelection(o StructsOptions) selection {
	return selection{StructsOptions: o, of: map[selected]int{}}
}

// visit takes a struct that was judged.
func (s *selection) visit(j Judgement) {
	if s.Type != "" && !strings.EqualFold(j.Type, s.Type) {
		return
	}
	s.judged++
	s.fields += len(j.Verdicts)
	s.wrong += j.Wrong()
	s.underWay += j.UnderWay()
	s.keep(j)
}

// keep keeps a struct that was counted, unless there are enough of its kind.
func (s *selection) keep(j Judgement) {
	wrong, underWay := j.Wrong(), j.UnderWay()
	kind := selected{j.Type, wrong+underWay > 0}
	most := s.Most
	if kind.faulty {
		most = s.MostWrong
	}
	switch {
	case !(s.Wrong && !kind.faulty) && (most == 0 || s.of[kind] < most):
		s.of[kind]++
		s.kept = append(s.kept, j)
	case kind.faulty:
		s.faulty.structs++
		s.faulty.wrong += wrong
		s.faulty.underWay += underWay
	default:
		s.left++
	}
}

// count counts what another selection counted, but keeps nothing of it.
func (s *selection) count(other *selection) {
	s.judged += other.judged
	s.fields += other.fields
	s.wrong += other.wrong
	s.underWay += other.underWay
	s.left += other.left
	s.faulty.structs += other.faulty.structs
	s.faulty.wrong += other.faulty.wrong
	s.faulty.underWay += other.faulty.underWay
}

// report writes down what is kept, and the figures.
func (s *selection) report(r *StructsReport) {
	r.Structs = append([]Judgement{}, s.kept...)
	r.Judged, r.Fields, r.Wrong, r.UnderWay = s.judged, s.fields, s.wrong, s.underWay
	r.Left, r.More = s.left, s.faulty.structs
}
