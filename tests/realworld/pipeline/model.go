package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// model is a CSV, a query, and what has to come of both.
type model struct {
	csv    bytes.Buffer
	query  url.Values
	want   []column
	broken string // what the answer has to say, when the CSV is broken
}

// column is one of the Parquet file's. A value is nil, or of the type that the column's name in Arrow says.
type column struct {
	name, kind string
	values     []any
}

// sampledRows are what the types of the model's columns are guessed from. Behind them a CSV may break.
const sampledRows = 100

// newModel makes one of up to so many rows.
func newModel(random *rand.Rand, most int, broken bool) *model {
	m := &model{query: url.Values{"sample": {strconv.Itoa(sampledRows)}}}
	set := func(name string, values ...string) { m.query.Set(name, values[random.IntN(len(values))]) }
	set("batch", "64", "500", "8192")
	set("rowgroup", "300", "10000")
	set("compression", "none", "snappy", "gzip", "zstd", "brotli")
	origin, product, sum, enough := random.IntN(2) == 0, random.IntN(2) == 0, random.IntN(2) == 0, random.IntN(2) == 0
	if origin {
		m.query.Set("origin", "origin")
		m.query.Set("name", "orders.csv")
	}
	if product {
		m.query.Add("derive", "total=price*quantity")
	}
	if sum {
		m.query.Add("derive", "next=id+1")
	}
	if enough {
		m.query.Set("where", "quantity>=50")
	}
	m.want = []column{{name: "id", kind: "int64"}, {name: "price", kind: "float64"}, {name: "quantity", kind: "int64"},
		{name: "paid", kind: "bool"}, {name: "customer", kind: "utf8"}, {name: "at", kind: "timestamp[us, tz=UTC]"}}
	for _, further := range []struct {
		there bool
		column
	}{{origin, column{name: "origin", kind: "utf8"}}, {product, column{name: "total", kind: "float64"}}, {sum, column{name: "next", kind: "int64"}}} {
		if further.there {
			m.want = append(m.want, further.column)
		}
	}

	lines := csv.NewWriter(&m.csv)
	_ = lines.Write([]string{"id", "price", "quantity", "paid", "customer", "at"})
	n := 3*sampledRows + random.IntN(max(1, most-3*sampledRows))
	for i := range n {
		lines.Flush()
		line := 1 + bytes.Count(m.csv.Bytes(), []byte("\n"))
		if broken && i == n/2 {
			m.breakAt(random, line)
		}
		r := newRow(random, i)
		_ = lines.Write(r.texts())
		if enough && (r.quantity == nil || r.quantity.(int64) < 50) {
			continue
		}
		values := []any{r.id, r.price, r.quantity, r.paid, r.customer, r.at}
		if origin {
			values = append(values, fmt.Sprintf("orders.csv:%d", line))
		}
		if product {
			var total any
			if r.quantity != nil && r.price != nil {
				total = r.price.(float64) * float64(r.quantity.(int64))
			}
			values = append(values, total)
		}
		if sum {
			values = append(values, r.id.(int64)+1)
		}
		for j, v := range values {
			m.want[j].values = append(m.want[j].values, v)
		}
	}
	lines.Flush()
	return m
}

// breakAt writes a line that is none.
func (m *model) breakAt(random *rand.Rand, line int) {
	broken := []struct{ text, says string }{
		{"1,2.5,3,true,\"a\" b,\n", "extraneous or missing"},
		{"1,2.5\n", "wrong number of fields"},
		{"1,two,3,true,a,\n", `column "price": "two" is no float64`},
		{"1,2.5,3,true,a,2020-13-01\n", `column "at": "2020-13-01" is no timestamp`},
	}[random.IntN(4)]
	m.csv.WriteString(broken.text)
	m.broken = broken.says
	if strings.HasPrefix(broken.says, "column") {
		m.broken = fmt.Sprintf("line %d, %s", line, broken.says)
	}
}

// row is a line's values.
type row struct{ id, price, quantity, paid, customer, at any }

// newRow makes a row. The first one has no nulls, so that all columns can be guessed.
func newRow(random *rand.Rand, i int) row {
	r := row{id: int64(i*7 - 1000)}
	null := func() bool { return i > 0 && random.IntN(8) == 0 }
	if !null() {
		r.price = float64(random.IntN(1_000_000)) / 64
	}
	if !null() {
		r.quantity = int64(random.IntN(100))
	}
	if !null() {
		r.paid = random.IntN(2) == 0
	}
	if !null() {
		r.customer = customers[random.IntN(len(customers))] + strings.Repeat("x", random.IntN(40))
	}
	if !null() {
		r.at = time.UnixMicro(random.Int64N(2e15)).UTC()
	}
	return r
}

var customers = []string{"Ada", "O'Brien, \"Bob\"", "two\nlines", "Σωκράτης", " spaces "}

// texts is how the values are written.
func (r row) texts() (texts []string) {
	for _, v := range []any{r.id, r.price, r.quantity, r.paid, r.customer, r.at} {
		switch v := v.(type) {
		case nil:
			texts = append(texts, "")
		case float64:
			texts = append(texts, strconv.FormatFloat(v, 'f', 6, 64))
		case time.Time:
			texts = append(texts, v.Format(time.RFC3339Nano))
		default:
			texts = append(texts, fmt.Sprint(v))
		}
	}
	return texts
}
