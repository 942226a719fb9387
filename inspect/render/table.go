package render

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// table writes rows below a header. Columns are as wide as they need to be; those in right are aligned to the right.
func (p *page) table(header table.Row, rows []table.Row, right ...int) {
	for _, line := range p.lay(header, rows, right) {
		p.Printf("%s\n", line)
	}
}

// lay lays a table out: a line for the header, and one for each row.
func (p *page) lay(header table.Row, rows []table.Row, right []int) []string {
	t := table.NewWriter()
	style := table.StyleDefault
	style.Options = table.Options{SeparateColumns: true}
	style.Box = table.BoxStyle{PaddingRight: " ", MiddleVertical: " "}
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	painted := make(table.Row, len(header))
	for i, name := range header {
		painted[i] = p.Paint(dim, fmt.Sprint(name))
	}
	t.AppendHeader(painted)
	t.AppendRows(rows)
	var columns []table.ColumnConfig
	for _, n := range right {
		columns = append(columns, table.ColumnConfig{Number: n + 1, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	lines := strings.Split(t.Render(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// share is what a bar shows: how much of all is live, and how much is cached.
type share struct{ live, cached, all uint64 }

// The widths of a bar, with its ends: a shorter one tells nothing, a longer one no more.
const (
	leastBar = 8
	mostBar  = 26
)

// tableWithBars is table with a bar behind each row, as far as the page has room for bars.
func (p *page) tableWithBars(header table.Row, rows []table.Row, bars []share, right ...int) {
	for _, line := range p.layWithBars(header, rows, bars, right...) {
		p.Printf("%s\n", line)
	}
}

func (p *page) layWithBars(header table.Row, rows []table.Row, bars []share, right ...int) []string {
	lines := p.lay(header, rows, right)
	widest := 0
	for _, line := range lines {
		widest = max(widest, width(line))
	}
	room := min(p.Width-widest-2, mostBar)
	for i, line := range lines {
		if i > 0 && room >= leastBar {
			lines[i] += strings.Repeat(" ", widest+2-width(line)) + p.bar(bars[i-1], room)
		}
	}
	return lines
}

// bar draws a share, in this many columns.
func (p *page) bar(s share, columns int) string {
	cells := columns - 2
	filled := func(n uint64) int {
		if s.all == 0 {
			return 0
		}
		return int((n*uint64(cells) + s.all - 1) / s.all)
	}
	l := min(filled(s.live), cells)
	c := min(filled(s.cached), cells-l)
	return "▕" + p.Paint(live, strings.Repeat("█", l)) + p.Paint(cached, strings.Repeat("▒", c)) + p.Paint(dim, strings.Repeat("·", cells-l-c)) + "▏"
}
