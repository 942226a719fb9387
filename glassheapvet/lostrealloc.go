package glassheapvet

import (
	"go/ast"
	"go/token"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/ssa"
)

// LostRealloc finds calls of Realloc whose result is thrown away: the block may have moved, and nobody has it any more. Realloc to
// a constant 0 is a free and has no result to keep; nor has one whose error the program looks into, as tests do that want one.
var LostRealloc = &analysis.Analyzer{
	Name:     "lostrealloc",
	Doc:      "find calls of glassheap's Realloc whose result is not kept",
	URL:      documentation,
	Requires: []*analysis.Analyzer{functions, inspect.Analyzer},
	Run: func(pass *analysis.Pass) (any, error) {
		report, tell := reporter(pass)
		defer tell()
		lost := map[token.Pos]bool{} // left parentheses of calls whose first result nothing takes
		nodes := []ast.Node{(*ast.ExprStmt)(nil), (*ast.AssignStmt)(nil), (*ast.DeferStmt)(nil), (*ast.GoStmt)(nil)}
		pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Preorder(nodes, func(n ast.Node) {
			var dropped ast.Expr
			switch n := n.(type) {
			case *ast.ExprStmt:
				dropped = n.X
			case *ast.DeferStmt:
				dropped = n.Call
			case *ast.GoStmt:
				dropped = n.Call
			case *ast.AssignStmt:
				if blank, ok := n.Lhs[0].(*ast.Ident); ok && blank.Name == "_" && len(n.Rhs) == 1 {
					dropped = n.Rhs[0]
				}
			}
			if dropped == nil {
				return
			}
			if call, ok := ast.Unparen(dropped).(*ast.CallExpr); ok {
				lost[call.Lparen] = true
			}
		})
		for _, f := range functionsOf(pass) {
			for _, b := range f.Blocks {
				for _, i := range b.Instrs {
					o := f.operations[i]
					if o == nil || o.effect != reallocates || f.expectedToFail(o) {
						continue
					}
					if failure := o.failure(); failure != nil && wantsErrorOf(failure, map[ssa.Value]bool{}) {
						continue
					}
					if n, ok := integer(o.size); ok && n <= 0 {
						continue
					}
					if call := f.expression(o); call != nil && lost[call.Lparen] {
						report(call.Pos(), "the result of "+f.written(o)+" is lost: the block may have moved; keep what "+o.name+" returns")
					}
				}
			}
		}
		return nil, nil
	},
}
