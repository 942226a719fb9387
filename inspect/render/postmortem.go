package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/inspect"
)

// PostMortem writes what a program died of and what its heaps looked like then. Style.Target is the directory of the
// post-mortem's files, for the commands that the text suggests; empty: they are run there.
func PostMortem(w io.Writer, r *inspect.PostMortem, s Style) error {
	p := newPage(w, s)
	event := "which died on"
	if r.Core != "" {
		event = "whose core was written on"
	}
	p.Prose("", fmt.Sprintf("post-mortem of process %d (%s), %s %s", r.PID, visible(r.Program), event, r.Died.UTC().Format("2006-01-02 at 15:04:05 UTC")))
	p.Prose(p.Paint(dim, "died of")+"  ", p.Paint(damaged, visible(r.Cause.Summary)))
	if r.Cause.Memory != "" {
		p.Prose(p.Paint(dim, "memory")+"   ", visible(r.Cause.Memory))
	}
	for _, note := range r.Notes {
		p.note(visible(note))
	}
	for _, a := range r.Addresses {
		p.Printf("\n")
		if a.Whatis == nil {
			p.Prose("", p.Paint(strong, a.Address.String())+" is "+a.Sentence)
			continue
		}
		if p.Err == nil {
			p.Err = Whatis(w, a.Whatis, p.of(a.Snapshot))
		}
	}
	for _, h := range r.Heaps {
		p.Printf("\n")
		if h.Check == nil {
			p.Prose("", fmt.Sprintf("heap %q could not be checked: %s", visible(h.Name), visible(h.Problem)))
		} else if p.Err == nil {
			p.Err = Check(w, h.Check, p.of(h.Snapshot))
		}
		if h.NotSnapshot != "" {
			p.note("no snapshot: " + visible(h.NotSnapshot))
		}
	}
	if len(r.Heaps) == 0 {
		p.Printf("\n")
		p.Prose("", "No heap was open.")
	}
	if r.Stack != "" {
		p.Printf("\n%s\n%s\n", p.Paint(strong, "the goroutine that crashed"), strings.TrimRight(visibleLines(r.Stack), "\n"))
	}
	return p.Err
}

// of is the style for an answer about a snapshot.
func (p *page) of(snapshot string) Style {
	s := p.Style
	switch {
	case snapshot == "":
		s.Target = "TARGET" // there is none to ask
		return s
	case s.Target == "":
		s.Target = snapshot
	default:
		s.Target = strings.TrimSuffix(s.Target, "/") + "/" + snapshot
	}
	if strings.ContainsAny(s.Target, " '\"$&|;<>()*?\\`") {
		s.Target = "'" + strings.ReplaceAll(s.Target, "'", `'\''`) + "'"
	}
	return s
}

// PostMortems writes a list of post-mortems, the newest first.
func PostMortems(w io.Writer, files []inspect.PostMortemFile, directory string, s Style) error {
	p := newPage(w, s)
	if len(files) == 0 {
		p.Prose("", "There are no post-mortems in "+directory+".")
		return p.Err
	}
	for _, f := range files {
		if f.PostMortem == nil {
			p.Prose("", visible(f.Path)+" can't be read: "+visible(f.Problem))
			continue
		}
		found := p.Paint(live, "healthy")
		if f.Findings > 0 {
			found = p.Paint(damaged, count(uint64(f.Findings), "finding"))
		}
		unchecked := 0
		for _, h := range f.Heaps {
			if h.Check == nil {
				unchecked++
			}
		}
		if unchecked > 0 {
			found += ", " + count(uint64(unchecked), "heap") + " unchecked"
		}
		p.Printf("%s  %7d  %-15s  %s\n", f.Died.UTC().Format("2006-01-02 15:04:05"), f.PID, shortened(visible(f.Program), 15), found)
		p.Prose("    ", shortened(visible(f.Cause.Summary), 2*report.UsualWidth))
	}
	if f := files[0]; f.PostMortem != nil {
		p.next("glassheap postmortem "+f.Path, "the newest")
	}
	return p.Err
}

func shortened(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}
