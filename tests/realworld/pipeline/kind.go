package main

import (
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// kind is a type that a column can have.
type kind struct {
	name    string
	arrow   arrow.DataType
	guessed func(text string) bool                        // whether a column with this text may be of this kind
	read    func(text string, to array.Builder) (ok bool) // appends what the text says
}

// allKinds are in the order in which they are tried. Everything is a string.
var allKinds = []kind{
	{"int64", arrow.PrimitiveTypes.Int64, parses(func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }),
		appends(func(text string) (int64, error) { return strconv.ParseInt(text, 10, 64) }, (*array.Int64Builder).Append)},
	{"float64", arrow.PrimitiveTypes.Float64, parses(parseFloat),
		appends(parseFloat, (*array.Float64Builder).Append)},
	{"bool", arrow.FixedWidthTypes.Boolean, func(text string) bool { return strings.EqualFold(text, "true") || strings.EqualFold(text, "false") },
		appends(strconv.ParseBool, (*array.BooleanBuilder).Append)},
	{"timestamp", arrow.FixedWidthTypes.Timestamp_us, parses(parseTimestamp),
		appends(parseTimestamp, (*array.TimestampBuilder).Append)},
	stringKind,
}

var stringKind = kind{"string", arrow.BinaryTypes.String, func(string) bool { return true },
	appends(func(text string) (string, error) { return text, nil }, (*array.StringBuilder).Append)}

func parses[T any](parse func(string) (T, error)) func(string) bool {
	return func(text string) bool {
		_, err := parse(text)
		return err == nil
	}
}

func appends[T any, B array.Builder](parse func(string) (T, error), add func(B, T)) func(string, array.Builder) bool {
	return func(text string, to array.Builder) bool {
		v, err := parse(text)
		if err == nil {
			add(to.(B), v)
		}
		return err == nil
	}
}

func parseFloat(text string) (float64, error) { return strconv.ParseFloat(text, 64) }

// timestamps are how a time may be written; without a zone it is UTC.
var timestamps = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly}

func parseTimestamp(text string) (arrow.Timestamp, error) {
	var first error
	for _, layout := range timestamps {
		t, err := time.Parse(layout, text)
		if err == nil {
			return arrow.Timestamp(t.UnixMicro()), nil
		}
		if first == nil {
			first = err
		}
	}
	return 0, first
}

// isNull reports whether a text says that there is no value.
func isNull(text string) bool { return text == "" || text == "NULL" || text == "null" }

// guess is the first kind that all texts of a column fit. Of a column without a value nothing is known: it is a string.
func guess(texts iter.Seq[string]) kind {
	for _, k := range allKinds {
		values, fit := false, true
		for text := range texts {
			if !isNull(text) {
				values, fit = true, fit && k.guessed(text)
			}
		}
		if values && fit {
			return k
		}
	}
	return stringKind
}
