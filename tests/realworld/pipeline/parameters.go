package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/compress"
)

// parameters say what is made of a CSV. They are the same words in a query and as flags of convert.
type parameters struct {
	batch       int             // rows
	rowGroup    int             // rows
	sample      int             // rows
	compression string          // a name of codecs
	schema      map[string]kind // of columns that are not to be guessed
	derive      []formula
	where       []condition // all of them hold
	origin      string      // a further column: where each row is from
	name        string      // of the file, in that column
}

func newParameters() parameters {
	return parameters{batch: 8192, rowGroup: 128 << 10, sample: 1000, compression: "snappy", name: "input"}
}

// parameterWords are all of them, each with what flags say of it.
var parameterWords = []struct{ name, about string }{
	{"batch", "how many `rows` are read, computed and written at a time"},
	{"rowgroup", "how many `rows` a row group of the Parquet file has at most; they are in memory until it is written"},
	{"sample", "how many `rows` the types of the columns are guessed from"},
	{"compression", "none, snappy, gzip, zstd or brotli: a `codec`"},
	{"schema", "types that are not to be guessed, as `JSON`: {\"zip\": \"string\"}; or int64, float64, bool, timestamp"},
	{"derive", "a further column, as `NAME=LEFT*RIGHT`: of +, -, * and /, between two columns or one and a number; may be repeated"},
	{"where", "which rows are kept, as `COLUMN>=VALUE`: of ==, !=, >=, <=, > and <; may be repeated: all must hold"},
	{"origin", "a further column of this `name`, which says of each row where it is from: NAME:LINE"},
	{"name", "what the `file` is called there"},
}

var codecs = map[string]compress.Compression{
	"none": compress.Codecs.Uncompressed, "snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip,
	"zstd": compress.Codecs.Zstd, "brotli": compress.Codecs.Brotli,
}

// mostRows bounds what one parameter can ask for: the limit of the heap is looked at between rows and batches.
const mostRows = 1 << 20

// set sets one.
func (p *parameters) set(name, value string) error {
	var err error
	switch name {
	case "batch":
		p.batch, err = rows(value)
	case "rowgroup":
		p.rowGroup, err = rows(value)
	case "sample":
		p.sample, err = rows(value)
	case "compression":
		if _, known := codecs[value]; !known {
			err = fmt.Errorf("%q is none of none, snappy, gzip, zstd and brotli", value)
		}
		p.compression = value
	case "schema":
		p.schema, err = parseSchema(value)
	case "derive":
		var f formula
		f, err = parseFormula(value)
		p.derive = append(p.derive, f)
	case "where":
		var c condition
		c, err = parseCondition(value)
		p.where = append(p.where, c)
	case "origin":
		p.origin = value
	case "name":
		p.name = value
	default:
		return fmt.Errorf("%q is no parameter", name)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// parametersOf reads a query.
func parametersOf(query url.Values) (parameters, error) {
	p := newParameters()
	for name, values := range query {
		for _, value := range values {
			if err := p.set(name, value); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func rows(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > mostRows {
		return 0, fmt.Errorf("%q is no number from 1 to %d", text, mostRows)
	}
	return n, nil
}

func parseSchema(text string) (map[string]kind, error) {
	names := map[string]string{}
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, err
	}
	kinds := map[string]kind{}
	for column, name := range names {
		i := slices.IndexFunc(allKinds, func(k kind) bool { return k.name == name })
		if i < 0 {
			return nil, fmt.Errorf("%q is no type that a column can have", name)
		}
		kinds[column] = allKinds[i]
	}
	return kinds, nil
}

// formula is NAME=LEFT*RIGHT.
type formula struct{ name, left, operator, right string }

func parseFormula(text string) (formula, error) {
	name, expression, found := strings.Cut(text, "=")
	if at := strings.IndexAny(expression, "+-*/"); found && name != "" && at > 0 && at+1 < len(expression) {
		return formula{name, expression[:at], expression[at : at+1], expression[at+1:]}, nil
	}
	return formula{}, fmt.Errorf("%q is not like total=price*quantity", text)
}

// condition is COLUMN>=VALUE.
type condition struct{ column, operator, value string }

func parseCondition(text string) (condition, error) {
	if at := strings.IndexAny(text, "=!<>"); at > 0 {
		for _, operator := range []string{"==", "!=", ">=", "<=", ">", "<"} { // the longer ones first
			if value, found := strings.CutPrefix(text[at:], operator); found {
				return condition{text[:at], operator, value}, nil
			}
		}
	}
	return condition{}, fmt.Errorf("%q is not like quantity>=10", text)
}
