package inspect

import "strings"

// LeastAlike is how many structs of a type are wrong in the same field when that is no accident.
const LeastAlike = 3

// neverRight is what most likely led to a field that holds 0, or that is wrong in many structs.
const neverRight = "never initialised, or computed wrongly"

// StructType is the type of the struct that a finding is about: "Slab" for "Slab 17".
func StructType(f Finding) string {
	kind, _, _ := strings.Cut(f.Struct, " at ")
	kind, _, _ = strings.Cut(kind, " of ") // a cache
	kind, _, _ = strings.Cut(kind, " 0x")  // the name of a stack
	return strings.TrimRight(kind, " 0123456789")
}

// likeness is what findings about the same field of several structs of a type have in common.
type likeness struct {
	code     Code
	severity Severity
	kind     string
	field    string
}

// Alike groups findings by their indexes: those about the same field of LeastAlike structs of a type, or of more, are together,
// where the first of them stands; each other one is alone.
func Alike(findings []Finding) (groups [][]int) {
	like := map[likeness][]int{}
	of := func(f Finding) likeness { return likeness{f.Code, f.Severity, StructType(f), f.Field} }
	for i, f := range findings {
		if f.Block == nil && f.Struct != "" && f.Field != "" {
			like[of(f)] = append(like[of(f)], i)
		}
	}
	for i, f := range findings {
		switch together := like[of(f)]; {
		case f.Block != nil || len(together) < LeastAlike:
			groups = append(groups, []int{i})
		case together[0] == i:
			groups = append(groups, together)
		}
	}
	return groups
}

// reconsiderCauses says, when all findings are known, of which fields it is more likely that they were never right.
func reconsiderCauses(findings []Finding) {
	for _, group := range Alike(findings) {
		for _, i := range group {
			f := &findings[i]
			if mayNeverHaveBeenRight(*f) && (len(group) >= LeastAlike || strings.Trim(f.Found, "0x") == "") {
				f.Cause = neverRight
			}
		}
	}
}

// mayNeverHaveBeenRight is false for what follows from other structs: one link that is written over takes every slab behind it
// off its list, one struct that is written over spoils the entries of many pages.
func mayNeverHaveBeenRight(f Finding) bool {
	follows := f.Field == "Next" || strings.HasPrefix(f.Field, "(")
	return f.Code == CodeMetadata && f.Severity == SeverityDamage && f.Block == nil && f.Struct != "" && f.Found != "" && !follows
}
