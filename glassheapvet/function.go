package glassheapvet

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/passes/buildssa"
	"golang.org/x/tools/go/analysis/passes/inspect"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/ssa"
)

// function is one that calls the allocator, with what is known of its values.
type function struct {
	*ssa.Function
	*sources
	operations map[ssa.Instruction]*operation
	held       map[*ssa.UnOp]ssa.Value // what loads give
	private    map[*ssa.Alloc]bool
	joined     map[*ssa.Phi]join
	joining    map[*ssa.Phi]bool
}

// sources finds what was written.
type sources struct {
	files *token.FileSet
	calls map[token.Pos]*ast.CallExpr // by the left parenthesis
}

// functions finds the functions of a package that call the allocator. All checks begin with them.
var functions = &analysis.Analyzer{
	Name:       "glassheapfunctions",
	Doc:        "find the functions that call glassheap's allocator, and what their variables hold",
	Requires:   []*analysis.Analyzer{buildssa.Analyzer, inspect.Analyzer},
	ResultType: reflect.TypeFor[[]*function](),
	Run: func(pass *analysis.Pass) (any, error) {
		written := &sources{pass.Fset, map[token.Pos]*ast.CallExpr{}}
		var found []*function
		for _, s := range pass.ResultOf[buildssa.Analyzer].(*buildssa.SSA).SrcFuncs {
			f := &function{
				Function: s, sources: written, operations: map[ssa.Instruction]*operation{}, held: map[*ssa.UnOp]ssa.Value{},
				private: map[*ssa.Alloc]bool{}, joined: map[*ssa.Phi]join{}, joining: map[*ssa.Phi]bool{},
			}
			for _, b := range s.Blocks {
				for _, i := range b.Instrs {
					if o := operationOf(i); o != nil {
						f.operations[i] = o
					}
				}
			}
			if len(f.operations) > 0 {
				f.findHeld()
				clear(f.joined) // of what was held before that was settled
				found = append(found, f)
			}
		}
		if len(found) > 0 {
			pass.ResultOf[inspect.Analyzer].(*inspector.Inspector).Preorder([]ast.Node{(*ast.CallExpr)(nil)}, func(n ast.Node) {
				call := n.(*ast.CallExpr)
				written.calls[call.Lparen] = call
			})
		}
		return found, nil
	},
}

func functionsOf(pass *analysis.Pass) []*function { return pass.ResultOf[functions].([]*function) }

// expression is the call as it was written; nil when that is not known.
func (f *function) expression(o *operation) *ast.CallExpr {
	call := f.calls[o.call.Common().Pos()]
	if call == nil {
		call = f.calls[o.call.Pos()]
	}
	return call
}

// written is the call as text, shortened to its name where it is long.
func (f *function) written(o *operation) string {
	call := f.expression(o)
	if call == nil {
		return o.name
	}
	text := types.ExprString(call)
	if len(text) > 60 {
		return o.name
	}
	return text
}

// blockName is what the block is called in the call: b in h.Free(b).
func (f *function) blockName(o *operation) string {
	call := f.expression(o)
	if call == nil {
		return "the block"
	}
	// Of h.Free(b) the block is the first argument, of FreeSlice(h, b) and of (*Heap).Free(h, b) the second.
	n := 0
	if len(call.Args) == len(o.call.Common().Args) {
		n = 1
	}
	text := types.ExprString(call.Args[n])
	if len(text) > 40 {
		return "the block"
	}
	return text
}

func (f *function) line(p token.Pos) int { return f.files.Position(p).Line }

// reversePostorder has every block that can be reached, those before a join first.
func (f *function) reversePostorder() []*ssa.BasicBlock {
	var order []*ssa.BasicBlock
	seen := make([]bool, len(f.Blocks))
	var visit func(b *ssa.BasicBlock)
	visit = func(b *ssa.BasicBlock) {
		if seen[b.Index] {
			return
		}
		seen[b.Index] = true
		for _, s := range b.Succs {
			visit(s)
		}
		order = append(order, b)
	}
	if len(f.Blocks) > 0 {
		visit(f.Blocks[0])
	}
	for i, j := 0, len(order)-1; i < j; i, j = i+1, j-1 {
		order[i], order[j] = order[j], order[i]
	}
	return order
}
