package query

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// condition is an expression that is true or false of a row.
type condition[R any] struct {
	text    string
	program *vm.Program
	machine vm.VM
	row     map[string]any // the values of the columns that it names, filled anew for each row
	used    []Column[R]
}

// newCondition understands an expression. The error is an *Error.
func newCondition[R any](s *Set[R], text string) (c *condition[R], err error) {
	if len(text) > mostTextBytes {
		return nil, &Error{Flag: "--where", Problem: fmt.Sprintf("an expression may have %d characters, this one has %d", mostTextBytes, len(text))}
	}
	parsing := conf.CreateNew()
	parsing.MaxNodes = mostNodes
	tree, err := parser.ParseWithConfig(text, parsing)
	if err != nil {
		return nil, pointed(text, err)
	}
	g := grammar[R]{set: s, text: text}
	if ast.Walk(&tree.Node, &g); g.err != nil {
		return nil, g.err
	}
	environment := types.Map{}
	for _, column := range s.Columns {
		environment[column.Name] = types.TypeOf(column.Kind.zero())
	}
	options := []expr.Option{expr.Env(environment), expr.AsBool(), expr.MaxNodes(mostNodes), expr.DisableAllBuiltins()}
	for _, name := range functions {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		return nil, pointed(text, err)
	}
	return &condition[R]{text: text, program: program, row: map[string]any{}, used: g.used}, nil
}

// holds reports whether the condition is true of a row.
func (c *condition[R]) holds(row *R) (bool, error) {
	for i := range c.used {
		c.row[c.used[i].Name] = c.used[i].value(row)
	}
	result, err := c.machine.Run(c.program, c.row)
	if err != nil {
		return false, pointed(c.text, err)
	}
	return result.(bool), nil // the compiler has seen to that
}

// pointed is an error of the library as one that points at its place.
func pointed(text string, err error) *Error {
	e := &Error{Flag: "--where", Text: text, Length: len([]rune(text)), Problem: err.Error()}
	var at *file.Error
	if errors.As(err, &at) {
		e.At, e.Length, e.Problem = at.From, at.To-at.From, at.Message
	}
	if found, ok := strings.CutPrefix(e.Problem, "expected bool, but got "); ok {
		e.Problem = fmt.Sprintf("this is a %s, not true or false", found)
		e.Hint = "A condition compares: size > 64, state == \"live\", site contains \"cache\"."
	}
	e.Problem = plainly(e.Problem)
	return e
}

// plainly says in this package's words what the library says of types.
func plainly(message string) string {
	if message == "unexpected token EOF" {
		return "something is missing at the end"
	}
	message = strings.TrimPrefix(strings.TrimPrefix(message, "invalid operation: "), "runtime error: ")
	message = goTypes.ReplaceAllStringFunc(message, func(name string) string { return plainTypes[name] })
	return mismatched.ReplaceAllString(message, "$1 does not go between a $2 and a $3")
}

var (
	goTypes    = regexp.MustCompile(`\[\]interface \{\}|\b(?:string|float64|int|bool)\b`)
	mismatched = regexp.MustCompile(`^(\S+) \(mismatched types (.+) and (.+)\)$`)
	plainTypes = map[string]string{"string": "text", "float64": "number", "int": "number", "bool": "true or false", "[]interface {}": "list"}
)
