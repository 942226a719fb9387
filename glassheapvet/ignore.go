package glassheapvet

import (
	"cmp"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// reporter takes what is found, except in lines that say //glassheap:ignore, and tells it in the order of the source.
func reporter(pass *analysis.Pass) (report func(at token.Pos, message string), tell func()) {
	ignored := map[string]map[int]bool{}
	for _, file := range pass.Files {
		for _, group := range file.Comments {
			for _, c := range group.List {
				if ignores(c.Text) {
					p := pass.Fset.Position(c.Pos())
					if ignored[p.Filename] == nil {
						ignored[p.Filename] = map[int]bool{}
					}
					ignored[p.Filename][p.Line] = true
				}
			}
		}
	}
	var found []analysis.Diagnostic
	report = func(at token.Pos, message string) {
		if p := pass.Fset.Position(at); !ignored[p.Filename][p.Line] {
			found = append(found, analysis.Diagnostic{Pos: at, Message: message})
		}
	}
	tell = func() {
		slices.SortStableFunc(found, func(a, b analysis.Diagnostic) int { return cmp.Compare(a.Pos, b.Pos) })
		for _, d := range found {
			pass.Report(d)
		}
	}
	return report, tell
}

// ignores is true of //glassheap:ignore, with or without a reason behind it.
func ignores(comment string) bool {
	rest, ok := strings.CutPrefix(comment, "//glassheap:ignore")
	return ok && (rest == "" || rest[0] == ' ')
}
