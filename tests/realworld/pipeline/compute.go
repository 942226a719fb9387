package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/scalar"
)

// A stage makes another batch of one, and leaves that as it is: each is its maker's, or caller's, to release.

// withColumn is a batch with a further column, which it takes over.
func withColumn(batch arrow.RecordBatch, name string, column arrow.Array) arrow.RecordBatch {
	defer column.Release()
	fields := append(batch.Schema().Fields(), arrow.Field{Name: name, Type: column.DataType(), Nullable: true})
	columns := append(append([]arrow.Array{}, batch.Columns()...), column)
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, batch.NumRows())
}

var arithmetic = map[string]func(context.Context, compute.ArithmeticOptions, compute.Datum, compute.Datum) (compute.Datum, error){
	"+": compute.Add, "-": compute.Subtract, "*": compute.Multiply, "/": compute.Divide,
}

// derive is a batch with a formula's column.
func derive(ctx context.Context, batch arrow.RecordBatch, f formula) (arrow.RecordBatch, error) {
	left, err := operand(batch, f.left)
	if err != nil {
		return nil, err
	}
	defer left.Release()
	right, err := operand(batch, f.right)
	if err != nil {
		return nil, err
	}
	defer right.Release()
	result, err := arithmetic[f.operator](ctx, compute.ArithmeticOptions{}, left, right)
	if err != nil {
		return nil, fmt.Errorf("%s=%s%s%s: %w", f.name, f.left, f.operator, f.right, clearly(err, left, f.operator, right))
	}
	defer result.Release()
	return withColumn(batch, f.name, result.(*compute.ArrayDatum).MakeArray()), nil
}

// clearly says of which types Arrow has no such operation; its own error is that something is not implemented.
func clearly(err error, left compute.Datum, operator string, right compute.Datum) error {
	typed := func(d compute.Datum) arrow.DataType { return d.(interface{ Type() arrow.DataType }).Type() }
	if errors.Is(err, arrow.ErrNotImplemented) {
		return fmt.Errorf("there is no %s of %s and %s", operator, typed(left), typed(right))
	}
	return err
}

// operand is a column, or a number for all rows.
func operand(batch arrow.RecordBatch, text string) (compute.Datum, error) {
	if column := columnOf(batch, text); column != nil {
		return compute.NewDatum(column), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return compute.NewDatum(n), nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("%q is neither a column nor a number", text)
	}
	return compute.NewDatum(n), nil
}

// columnOf is the column of this name; nil: there is none.
func columnOf(batch arrow.RecordBatch, name string) arrow.Array {
	for i, field := range batch.Schema().Fields() {
		if field.Name == name {
			return batch.Column(i)
		}
	}
	return nil
}

var comparisons = map[string]string{
	"==": "equal", "!=": "not_equal", ">=": "greater_equal", "<=": "less_equal", ">": "greater", "<": "less",
}

// keep is a batch of those rows for which a condition holds; without a value none does.
func keep(ctx context.Context, batch arrow.RecordBatch, c condition) (arrow.RecordBatch, error) {
	column := columnOf(batch, c.column)
	if column == nil {
		return nil, fmt.Errorf("where: there is no column %q", c.column)
	}
	value, err := scalar.ParseScalar(column.DataType(), c.value)
	if err != nil {
		return nil, fmt.Errorf("where: column %q: %w", c.column, err)
	}
	values, bound := compute.NewDatum(column), compute.NewDatum(value)
	defer values.Release()
	defer bound.Release()
	mask, err := compute.CallFunction(ctx, comparisons[c.operator], nil, values, bound)
	if err != nil {
		return nil, fmt.Errorf("where: %w", clearly(err, values, c.operator, bound))
	}
	defer mask.Release()
	chosen := mask.(*compute.ArrayDatum).MakeArray()
	defer chosen.Release()
	return compute.FilterRecordBatch(ctx, batch, chosen, &compute.FilterOptions{NullSelection: compute.SelectionDropNulls})
}
