package query

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Words are what the user typed. Empty ones ask for nothing.
type Words struct {
	Where   string   // an expression; only rows for which it is true
	And     []string // further expressions that must be true, which other flags stand for
	Columns string   // names with commas between them
	Sort    string   // a column; -column: the largest first
	Limit   int      // how many rows at most; 0: all
}

// Query is a list's question, understood. It is made by Set.Parse and used by one goroutine at a time.
type Query[R any] struct {
	set        *Set[R]
	conditions []*condition[R]
	columns    []Column[R] // that are shown
	chosen     bool        // the user chose them
	sorted     *Column[R]  // nil: the rows stay in their order
	descending bool
	limit      int
}

// Parse understands the user's words. The error is an *Error that points at what it does not understand.
func (s *Set[R]) Parse(w Words) (*Query[R], error) {
	q := &Query[R]{set: s, limit: max(0, w.Limit)}
	if w.Limit < 0 {
		return nil, &Error{Flag: "--limit", Problem: fmt.Sprintf("%d rows can't be listed: write a number of rows, or 0 for all", w.Limit)}
	}
	for _, text := range append([]string{w.Where}, w.And...) {
		if strings.TrimSpace(text) == "" {
			continue
		}
		c, err := newCondition(s, text)
		if err != nil {
			return nil, err
		}
		q.conditions = append(q.conditions, c)
	}
	usual := strings.Join(s.Usual, ",")
	if q.chosen = strings.TrimSpace(w.Columns) != ""; q.chosen {
		usual = w.Columns
	}
	at := 0
	for _, piece := range strings.Split(usual, ",") {
		c, err := s.find("--columns", usual, piece, at)
		if err != nil {
			return nil, err
		}
		q.columns = append(q.columns, c)
		at += utf8.RuneCountInString(piece) + 1
	}
	if name := strings.TrimSpace(w.Sort); name != "" {
		name, q.descending = strings.CutPrefix(name, "-")
		c, err := s.find("--sort", w.Sort, name, strings.Index(w.Sort, name))
		if err != nil {
			return nil, err
		}
		q.sorted = &c
	}
	return q, nil
}

// find is the column that a piece of the user's text names; it begins at a character of the text.
func (s *Set[R]) find(flag, text, piece string, at int) (Column[R], error) {
	name := strings.TrimSpace(piece)
	if c, ok := s.column(name); ok {
		return c, nil
	}
	at += utf8.RuneCountInString(piece[:len(piece)-len(strings.TrimLeft(piece, " \t"))])
	return Column[R]{}, s.noColumn(flag, text, name, at)
}

// Chosen reports whether the user chose columns: the answer is a plain table then.
func (q *Query[R]) Chosen() bool { return q.chosen }

// Selects reports whether rows are left out or put in another order.
func (q *Query[R]) Selects() bool { return len(q.conditions) > 0 || q.sorted != nil || q.limit > 0 }

// Names reports whether a condition, the order or a chosen column names one of these columns.
func (q *Query[R]) Names(columns ...string) bool {
	wanted := func(c Column[R]) bool { return slices.Contains(columns, c.Name) }
	if q.sorted != nil && wanted(*q.sorted) || q.chosen && slices.ContainsFunc(q.columns, wanted) {
		return true
	}
	return q.Conditioned(columns...)
}

// Conditioned reports whether a condition or the order names one of these columns.
func (q *Query[R]) Conditioned(columns ...string) bool {
	if q.sorted != nil && slices.Contains(columns, q.sorted.Name) {
		return true
	}
	for _, c := range q.conditions {
		if slices.ContainsFunc(c.used, func(c Column[R]) bool { return slices.Contains(columns, c.Name) }) {
			return true
		}
	}
	return false
}
