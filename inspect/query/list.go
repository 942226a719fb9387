package query

import "iter"

// Tally is what a list has come to.
type Tally struct {
	Listed  int   // rows
	Left    int   // that match and are beyond the limit, as far as they were counted
	More    bool  // there are more of these, which nobody counted: the list ended at its limit
	Sorted  bool  //
	Ordered int64 // bytes of memory that the rows took until they were in order
}

// List is the rows that a query selects, to be gone over once.
type List[R any] struct {
	query *Query[R]
	from  iter.Seq2[*R, error]
	tally Tally
}

// Over selects from rows. A row need not outlive its turn: it is copied where it has to be kept. Rows are kept only if they are
// sorted, and then no more than the limit.
func (q *Query[R]) Over(rows iter.Seq2[*R, error]) *List[R] { return &List[R]{query: q, from: rows} }

// Rows goes over the selected rows. An error ends it.
func (l *List[R]) Rows() iter.Seq2[*R, error] {
	if l.query.sorted != nil {
		return l.inOrder
	}
	return func(yield func(*R, error) bool) {
		limit := l.query.limit
		for row, err := range l.matching {
			switch {
			case err != nil:
				yield(nil, err)
				return
			case limit > 0 && l.tally.Listed == limit:
				l.tally.More = true
				return
			}
			l.tally.Listed++
			if !yield(row, nil) {
				return
			}
		}
	}
}

// matching goes over the rows for which every condition is true.
func (l *List[R]) matching(yield func(*R, error) bool) {
	for row, err := range l.from {
		if err == nil {
			var matches bool
			if matches, err = l.query.Matches(row); err == nil && !matches {
				continue
			}
		}
		if !yield(row, err) || err != nil {
			return
		}
	}
}

// Matches reports whether every condition is true of a row.
func (q *Query[R]) Matches(row *R) (bool, error) {
	for _, c := range q.conditions {
		if ok, err := c.holds(row); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

// inOrder is Rows for a sorted list.
func (l *List[R]) inOrder(yield func(*R, error) bool) {
	q := l.query
	k := kept[R]{descending: q.descending, limit: q.limit}
	for row, err := range l.matching {
		if err != nil {
			yield(nil, err)
			return
		}
		k.add(row, q.sorted.Read(row))
	}
	order := k.sorted()
	l.tally.Sorted, l.tally.Ordered, l.tally.Left = true, k.bytes(), k.n-len(order)
	for _, e := range order {
		l.tally.Listed++
		if !yield(&e.row, nil) {
			return
		}
	}
}

// Heads describes the columns that are shown.
func (l *List[R]) Heads() []Head {
	heads := make([]Head, len(l.query.columns))
	for i, c := range l.query.columns {
		heads[i] = c.Head
	}
	return heads
}

// Named is what the rows are called.
func (l *List[R]) Named() string { return l.query.set.Rows }

// Chosen reports whether the user chose the columns.
func (l *List[R]) Chosen() bool { return l.query.chosen }

// Cells goes over the values that are shown of the selected rows. The slice is used again for the next row.
func (l *List[R]) Cells() iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		cells := make([]any, len(l.query.columns))
		for row, err := range l.Rows() {
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range cells {
				cells[i] = l.query.columns[i].Read(row)
			}
			if !yield(cells, nil) {
				return
			}
		}
	}
}

// Tally is what the list has come to, when it was gone over.
func (l *List[R]) Tally() Tally { return l.tally }

// Of goes over the rows of a slice.
func Of[R any](rows []R) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		for i := range rows {
			if !yield(&rows[i], nil) {
				return
			}
		}
	}
}

// From selects from a slice: the rows, and how many more match and are beyond the limit. With an empty query it is the slice.
func (q *Query[R]) From(rows []R) (selected []R, left int, err error) {
	if q == nil || !q.Selects() {
		return rows, 0, nil
	}
	whole := *q
	whole.limit = 0
	selected = []R{}
	for row, err := range whole.Over(Of(rows)).Rows() {
		if err != nil {
			return nil, 0, err
		}
		selected = append(selected, *row)
	}
	if q.limit > 0 && len(selected) > q.limit {
		left = len(selected) - q.limit
		selected = selected[:q.limit]
	}
	return selected, left, nil
}

// Table is a list as it is written, whatever its rows are.
type Table interface {
	Named() string
	Heads() []Head
	Chosen() bool
	Cells() iter.Seq2[[]any, error]
	Tally() Tally
}
