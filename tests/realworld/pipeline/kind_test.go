package main

import (
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/arrow"
	"github.com/glassheap/glassheap/glassheaptest"
)

func TestGuess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  string
		texts []string
	}{
		{"string", nil},
		{"string", []string{"", "NULL", "null"}},
		{"int64", []string{"1", "-5", "", "9223372036854775807"}},
		{"float64", []string{"1", "2.5"}},
		{"float64", []string{"2.5", "1"}},
		{"float64", []string{"9223372036854775808", "NaN", "1e9"}},
		{"bool", []string{"true", "FALSE", ""}},
		{"string", []string{"true", "1"}},
		{"string", []string{"1", "true"}},
		{"timestamp", []string{"2020-01-02", "2020-01-02T03:04:05Z", "2020-01-02 03:04:05.678", "2020-01-02T03:04:05+02:00"}},
		{"string", []string{"2020-01-02", "7"}},
		{"string", []string{"2020-13-02"}},
		{"string", []string{"1.5", "2020-01-02"}},
	} {
		require.Equal(t, c.kind, guess(slices.Values(c.texts)).name, "%q", c.texts)
	}
}

// TestOriginColumn: what is written from the end, digit by digit, can be read from the start.
func TestOriginColumn(t *testing.T) {
	t.Parallel()
	mem := glassheaparrow.New(glassheaptest.New(t))
	for _, c := range []struct {
		name  string
		lines []int
		want  []string
	}{
		{"a.csv", []int{2, 9, 10, 99, 100, 12345}, []string{"a.csv:2", "a.csv:9", "a.csv:10", "a.csv:99", "a.csv:100", "a.csv:12345"}},
		{"", []int{7}, []string{":7"}},
		{"a", nil, nil},
	} {
		column := originColumn(mem, c.name, c.lines).(*array.String)
		var got []string
		for i := range column.Len() {
			got = append(got, column.Value(i))
		}
		require.Equal(t, c.want, got)
		column.Release()
	}
}
