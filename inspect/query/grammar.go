package query

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// The limits of an expression.
const (
	mostTextBytes    = 4 << 10
	mostNodes        = 500
	mostPatternBytes = 256 // of a regular expression
)

// functions are those that expressions may call: each takes a bounded time, and gives back no more than it is given.
var functions = []string{"len", "lower", "upper", "trim", "abs", "min", "max"}

// operators are those that expressions may use. Texts can't be put together, so none grows.
var operators = map[string]bool{
	"==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "&&": true, "||": true, "and": true, "or": true, "!": true, "not": true,
	"+": true, "-": true, "*": true, "/": true, "%": true, "in": true, "contains": true, "startsWith": true, "endsWith": true, "matches": true,
}

// grammar goes over the parts of an expression and finds the first that it may not have, or that is about no column. It also
// finds the columns.
type grammar[R any] struct {
	set  *Set[R]
	text string
	used []Column[R]
	err  *Error
}

// Visit looks at one part; the parts of it were looked at before.
func (g *grammar[R]) Visit(node *ast.Node) {
	if g.err != nil {
		return
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		g.identifier(n)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode, *ast.ConditionalNode, *ast.ArrayNode:
	case *ast.NilNode:
		g.refuse(n, "there is no nil here: what is not known is 0, \"\" or false", "")
	case *ast.UnaryNode:
		g.operator(n, n.Operator)
	case *ast.BinaryNode:
		g.operator(n, n.Operator)
		g.choices(n)
		g.pattern(n)
		g.joined(n)
	case *ast.BuiltinNode:
		g.function(n, n.Name)
	case *ast.CallNode:
		name := "this"
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			name = callee.Value
		}
		g.function(n, name)
	default:
		g.refuse(*node, "expressions here have no loops, variables, ranges, lists to pick from or parts of texts", "")
	}
}

// refuse is the error for a part.
func (g *grammar[R]) refuse(n ast.Node, problem, hint string) {
	if g.err == nil {
		at := n.Location()
		g.err = &Error{Flag: "--where", Text: g.text, At: at.From, Length: at.To - at.From, Problem: problem, Hint: hint}
	}
}

func (g *grammar[R]) identifier(n *ast.IdentifierNode) {
	c, ok := g.set.column(n.Value)
	if !ok {
		g.err = g.set.noColumn("--where", g.text, n.Value, n.Location().From)
		return
	}
	for _, u := range g.used {
		if u.Name == c.Name {
			return
		}
	}
	g.used = append(g.used, c)
}

func (g *grammar[R]) operator(n ast.Node, operator string) {
	if !operators[operator] {
		g.refuse(n, fmt.Sprintf("there is no operator %s here", operator), "Operators are == != < <= > >= && || ! + - * / % in contains startsWith endsWith matches.")
	}
}

func (g *grammar[R]) function(n ast.Node, name string) {
	for _, known := range functions {
		if name == known {
			return
		}
	}
	g.err = nil // the name was taken for a column's
	g.refuse(n, fmt.Sprintf("there is no function %s here", name), "Functions are "+strings.Join(functions, ", ")+".")
}

// choices expects that a word is compared with words that it can be.
func (g *grammar[R]) choices(n *ast.BinaryNode) {
	column, value := n.Left, n.Right
	if _, ok := value.(*ast.IdentifierNode); ok {
		column, value = value, column
	}
	id, ok := column.(*ast.IdentifierNode)
	if !ok || n.Operator != "==" && n.Operator != "!=" && n.Operator != "in" {
		return
	}
	c, _ := g.set.column(id.Value)
	if c.Kind != Word {
		return
	}
	values := []ast.Node{value}
	if list, ok := value.(*ast.ArrayNode); ok {
		values = list.Nodes
	}
	for _, v := range values {
		word, ok := v.(*ast.StringNode)
		if !ok {
			continue
		}
		known := false
		for _, choice := range c.Choices {
			known = known || choice == word.Value
		}
		if !known {
			g.refuse(v, fmt.Sprintf("%s is never %q", c.Name, word.Value), "It is one of "+strings.Join(c.Choices, ", ")+".")
		}
	}
}

// pattern expects that a regular expression is written down, and no monster.
func (g *grammar[R]) pattern(n *ast.BinaryNode) {
	if n.Operator != "matches" {
		return
	}
	switch p, ok := n.Right.(*ast.StringNode); {
	case !ok:
		g.refuse(n.Right, "matches takes a regular expression in quotes", "")
	case len(p.Value) > mostPatternBytes:
		g.refuse(n.Right, fmt.Sprintf("a regular expression may have %d characters", mostPatternBytes), "")
	default:
		if _, err := regexp.Compile(p.Value); err != nil {
			g.refuse(n.Right, strings.TrimPrefix(err.Error(), "error parsing regexp: "), "It is a regular expression as Go's package regexp has them.")
		}
	}
}

// joined expects that + is about numbers: texts would grow.
func (g *grammar[R]) joined(n *ast.BinaryNode) {
	if n.Operator != "+" {
		return
	}
	for _, side := range []ast.Node{n.Left, n.Right} {
		if g.isText(side) {
			g.refuse(n, "texts can't be put together: + is for numbers", "")
		}
	}
}

// isText reports whether a part is a text. What it is made of was found to be right.
func (g *grammar[R]) isText(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.StringNode:
		return true
	case *ast.IdentifierNode:
		c, _ := g.set.column(n.Value)
		return c.Kind == Text || c.Kind == Function || c.Kind == Word
	case *ast.BuiltinNode:
		return n.Name == "lower" || n.Name == "upper" || n.Name == "trim"
	case *ast.ConditionalNode:
		return g.isText(n.Exp1) || g.isText(n.Exp2)
	}
	return false
}
