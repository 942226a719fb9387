package inspect

import (
	"context"
	"strings"

	"github.com/glassheap/glassheap/allocator/layout"
)

// StructsOptions choose what Structs keeps. Every struct is judged whatever they say.
type StructsOptions struct {
	Type  string // only structs of this type ("Slab"); "": of all
	Wrong bool   // only structs that have a wrong field
	Most  int    // structs of each type that have none; 0: all
}

// StructsReport is the answer to "have my structs been initialised properly?".
type StructsReport struct {
	Heap     Summary     `json:"heap"`
	Structs  []Judgement `json:"structs"`
	Judged   int         `json:"judged"` // structs
	Fields   int         `json:"fields"` // of these
	Wrong    int         `json:"wrong"`  // fields
	UnderWay int         `json:"under_way"`
	Left     int         `json:"left_out"` // structs that StructsOptions left out
	Problems []Finding   `json:"problems"` // what does not belong to one field: page entries, lists
}

// Structs judges each field of each struct.
func (h *Heap) Structs(ctx context.Context, o StructsOptions) (*StructsReport, error) {
	r := &StructsReport{Structs: []Judgement{}, Problems: []Finding{}}
	kept := map[string]int{}
	visit := func(j Judgement) {
		if o.Type != "" && !strings.EqualFold(j.Type, o.Type) {
			return
		}
		r.Judged++
		r.Fields += len(j.Verdicts)
		wrong := j.Wrong()
		r.Wrong += wrong
		underWay := 0
		for _, v := range j.Verdicts {
			if v.UnderWay {
				underWay++
			}
		}
		r.UnderWay += underWay
		if wrong == 0 && underWay == 0 {
			if o.Wrong || (o.Most > 0 && kept[j.Type] >= o.Most) {
				r.Left++
				return
			}
			kept[j.Type]++
		}
		r.Structs = append(r.Structs, j)
	}
	h.judgeHeader(visit, true)
	if !h.sound {
		r.Heap = Summary{Owner: h.Target(), Base: Address(h.id.Base)}
		return r, nil
	}
	result, err := pass{all: true}.run(ctx, h)
	if err != nil {
		return nil, err
	}
	r.Heap = h.summary(result.counts)
	h.judge(result.counts, visit, true)
	for _, j := range result.judgements {
		visit(j)
	}
	if o.Type == "" {
		r.Problems = append(append(r.Problems, h.problems.findings()...), result.findings...)
		reconsiderCauses(r.Problems)
	}
	return r, nil
}

// Healthy reports whether no field and no list is wrong for certain.
func (r *StructsReport) Healthy() bool {
	for _, f := range r.Problems {
		if f.Severity == SeverityDamage {
			return false
		}
	}
	return r.Wrong == 0
}

// StructTypes lists the types that StructsOptions.Type may name: those that are judged as wholes, not as parts of others.
func StructTypes() (names []string) {
	for _, s := range layout.CurrentSchema().Structs {
		if s.Name != "Record" && s.Name != "Event" {
			names = append(names, s.Name)
		}
	}
	return names
}
