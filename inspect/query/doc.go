// Package query is the one language in which lists are asked: which rows (--where), which columns (--columns), in which order
// (--sort), how many (--limit).
//
//	set := query.Set[Row]{Rows: "blocks", Columns: …}      what each column is, and how it is read from a row
//	q, err := set.Parse(query.Words{Where: `size > 64`})   the user's words, understood
//	list := q.Over(rows)                                   rows of any number, read once
//
// A column is defined once. Help, the names in expressions, tables and JSON follow from that.
//
// An expression can neither hang nor fill the memory: it has no loops, no variables and no functions but a few on texts and
// numbers; its length, its parts and its patterns are bounded. So each row costs a bounded time, whoever wrote the expression.
//
//	what a column is               column.go
//	the user's words               words.go
//	expressions, and their limits  condition.go, grammar.go
//	order                          ordering.go
//	rows, one after the other      list.go
//	errors that point              errors.go
package query
