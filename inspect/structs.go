package inspect

import (
	"context"

	"github.com/glassheap/glassheap/allocator/layout"
)

// StructsOptions choose what Structs keeps. Every struct is judged whatever they say.
type StructsOptions struct {
	Type  string // only structs of this type ("Slab"); "": of all
	Wrong bool   // only structs that have a wrong field
	Most  int    // structs of each type that have none; 0: all
	// MostWrong bounds the structs of each type that have a wrong field, or one that may be changing; 0: all. Memory that lies can
	// have one in every struct.
	MostWrong int
}

// StructsReport is the answer to "have my structs been initialised properly?".
type StructsReport struct {
	Heap     Summary     `json:"heap"`
	Structs  []Judgement `json:"structs"`
	Judged   int         `json:"judged"` // structs
	Fields   int         `json:"fields"` // of these
	Wrong    int         `json:"wrong"`  // fields
	UnderWay int         `json:"under_way"`
	Left     int         `json:"left_out"`             // structs without a wrong field that StructsOptions left out
	More     int         `json:"more_wrong,omitempty"` // structs with one that are beyond StructsOptions.MostWrong
	Problems []Finding   `json:"problems"`             // what does not belong to one field: page entries, lists
}

// Structs judges each field of each struct.
func (h *Heap) Structs(ctx context.Context, o StructsOptions) (*StructsReport, error) {
	r := &StructsReport{Problems: []Finding{}}
	structs := newSelection(o)
	defer structs.report(r)
	h.judgeHeader(structs.visit, true)
	if !h.sound {
		r.Heap = Summary{Owner: h.Target(), Base: Address(h.id.Base)}
		return r, nil
	}
	// All slabs that may be wanted: the first ones by address are known only when all were seen.
	result, err := pass{structs: &StructsOptions{Type: o.Type, Wrong: o.Wrong}, all: true}.run(ctx, h)
	if err != nil {
		return nil, err
	}
	r.Heap = h.summary(result.counts)
	h.judge(result.counts, structs.visit, true)
	structs.count(&result.structs)
	for _, j := range result.structs.kept {
		structs.keep(j)
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
