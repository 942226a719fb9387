package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// Log writes the last audited operations, a line for each, newest first.
func Log(w io.Writer, r *inspect.LogReport, s Style) error {
	p := newPage(w, s)
	p.heapWith(r.Heap, fmt.Sprintf("%s of %s kept", number(uint64(r.Kept)), count(r.Ever, "operation")))
	p.Printf("\n")
	p.events(r.Events)
	if len(r.Events) == 0 {
		p.Prose("", "no operation is listed")
	}
	if r.Left > 0 {
		p.Printf("\n")
		p.Prose("", fmt.Sprintf("%s not listed: --last 0 lists all.", count(uint64(r.Left), "older operation")+" "+agree(uint64(r.Left), "is", "are")))
	}
	p.notes(r.Notes)
	if len(r.Events) > 0 {
		p.Printf("\n")
		p.next(p.command("history", r.Events[0].Address.String()), "what is known of that block, with stacks")
	}
	return p.Err
}

// events writes events in columns, and of each stack the innermost call.
func (p *page) events(events []inspect.LogEvent) {
	rows := make([][5]string, len(events))
	var wide [5]int
	for i, e := range events {
		rows[i] = [5]string{sequence(e.By), e.Kind, amount(e.Bytes), e.Address.String(), goroutine(e.By)}
		for c, cell := range rows[i] {
			wide[c] = max(wide[c], width(cell))
		}
	}
	for i, e := range events {
		row := rows[i]
		line := fmt.Sprintf("%*s  %-*s  %*s  %-*s  goroutine %-*s", wide[0], row[0], wide[1], row[1], wide[2], row[2], wide[3], row[3], wide[4], row[4])
		if e.By != nil && len(e.By.Frames) > 0 {
			f := e.By.Frames[0]
			line = p.fitting(line+"  ", report.ShortFunction(f.Function)+" "+f.Place())
		}
		p.Printf("%s\n", strings.TrimRight(line, " "))
	}
}

// fitting is a line with an end that is cut where the page ends.
func (p *page) fitting(line, end string) string {
	if room := p.Width - width(line); width(end) > room {
		runes := []rune(end)
		end = string(runes[:max(0, min(room-1, len(runes)))]) + "…"
	}
	return line + end
}
