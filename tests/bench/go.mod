module github.com/glassheap/glassheap/tests/bench

go 1.26.0

replace github.com/glassheap/glassheap => ../..

require (
	github.com/apache/arrow-go/v18 v18.8.0
	github.com/bytedance/gopkg v0.1.4
	github.com/dgraph-io/ristretto/v2 v2.4.2
	github.com/glassheap/glassheap v0.0.0
	github.com/jedib0t/go-pretty/v6 v6.8.3
	golang.org/x/sys v0.50.0
	golang.org/x/term v0.48.0
	modernc.org/memory v1.12.1
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/expr-lang/expr v1.17.8 // indirect
	github.com/google/pprof v0.0.0-20261105003125-4bf881d7fb0b // indirect
	github.com/klauspost/compress v1.20.4 // indirect
	github.com/mattn/go-runewidth v0.0.30 // indirect
	golang.org/x/text v0.41.0 // indirect
)
