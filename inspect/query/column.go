package query

import "strings"

// Kind is what sort of values a column has.
type Kind uint8

// The kinds of columns, and the Go type of their values.
const (
	Number   Kind = iota // int: a name, such as that of a slab
	Count                // int: of things
	Bytes                // int
	Address              // uint64
	Text                 // string
	Function             // string: a function's name with its package's path, or several with " < " between them
	Word                 // string: one of the column's Choices
	Truth                // bool
)

var kindNames = [...]string{"number", "count", "bytes", "address", "text", "function", "word", "true or false"}

// String is the kind as help names it.
func (k Kind) String() string { return kindNames[k] }

// Numeric reports whether the values are numbers in expressions.
func (k Kind) Numeric() bool { return k <= Address }

// zero is what an expression sees where a value is not known.
func (k Kind) zero() any {
	switch k {
	case Text, Function, Word:
		return ""
	case Truth:
		return false
	}
	return 0
}

// Head is a column without its values.
type Head struct {
	Name    string   // by which expressions and --columns call it, and the key in JSON
	Meaning string   // in words, for help
	Kind    Kind     //
	Choices []string // of a Word
}

// Column is a column of rows of type R.
type Column[R any] struct {
	Head
	// Read is the column's value in a row, of the type that its kind says. nil: it is not known there.
	Read func(row *R) any
}

// Set is the columns of one sort of rows.
type Set[R any] struct {
	Rows    string // what the rows are, in the plural: "blocks"
	Columns []Column[R]
	Usual   []string // the columns that are shown when none are chosen
}

// Heads describes all columns.
func (s *Set[R]) Heads() []Head {
	heads := make([]Head, len(s.Columns))
	for i, c := range s.Columns {
		heads[i] = c.Head
	}
	return heads
}

// Named is what the set's rows are called.
func (s *Set[R]) Named() string { return s.Rows }

// column finds a column by its name.
func (s *Set[R]) column(name string) (c Column[R], ok bool) {
	for _, c := range s.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return c, false
}

// value is a column's value as expressions see it: addresses are numbers, and what is not known is 0, "" or false.
func (c *Column[R]) value(row *R) any {
	switch v := c.Read(row).(type) {
	case nil:
		return c.Kind.zero()
	case uint64:
		return int(v)
	default:
		return v
	}
}

// names lists the columns' names.
func names(heads []Head) string {
	list := make([]string, len(heads))
	for i, h := range heads {
		list[i] = h.Name
	}
	return strings.Join(list, ", ")
}
