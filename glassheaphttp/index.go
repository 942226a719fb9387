package glassheaphttp

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// answers are all that can be asked for, in the order of the index. It is filled by init: index shows what it is itself part of.
var answers []served

// served is one thing that can be asked for.
type served struct {
	name, meaning string
	serve         http.HandlerFunc
	words         string // what has to be said more exactly, or may be: shown, and no link where it has to be
	linked        bool
}

func init() {
	answers = []served{
		{"check", "is anything wrong? The status is 500 if there is", answering(check), "", true},
		{"stats", "the heap in figures", answering(about(heapStats, render.Stats)), "", true},
		{"bins", "its size classes", answering(about(heapBins, bins)), "", true},
		{"leaks", "live blocks by who allocated them", answering(about(leaks, render.Leaks)), "", true},
		{"profile", "the same for go tool pprof", writeProfile, "", true},
		{"blocks", "every block: where it is, its size, its seal, who allocated it", answering(decoded(listBlocks)), "where, sort, columns, limit", true},
		{"log", "the last allocations and frees that were recorded", answering(decoded(listLog)), "where, sort, columns, limit", true},
		{"whatis", "what an address belongs to", answering(decoded(whatis)), "address", false},
	}
}

// index lists the heaps and the answers: as a page with links for who wants HTML, a browser, and as text for anybody else.
func index(w http.ResponseWriter, r *http.Request) {
	heaps, err := target.FindHeaps(os.Getpid())
	if err != nil {
		refuse(w, err)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		page := indexPage{PID: os.Getpid()}
		named := map[string]int{}
		for _, h := range heaps {
			named[h.Name]++
		}
		for i, h := range heaps {
			chosen := h.Name
			if named[chosen] > 1 {
				chosen = fmt.Sprintf("#%d", i+1)
			}
			page.Heaps = append(page.Heaps, heapLinks{h.Name, "?heap=" + url.QueryEscape(chosen)})
		}
		for _, a := range answers {
			page.Answers = append(page.Answers, answerLine{a.name, a.meaning, a.words, a.linked})
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = indexTemplate.Execute(w, page) // whoever asked is gone
		return
	}
	w.Header().Set("Content-Type", plainText)
	var names []string
	for _, h := range heaps {
		names = append(names, fmt.Sprintf("%q", h.Name))
	}
	fmt.Fprintf(w, "heaps of this process: %s\n\n", strings.Join(names, ", "))
	for _, a := range answers {
		fmt.Fprintf(w, "%-8s %s\n", a.name, a.meaning)
		if a.words != "" {
			fmt.Fprintf(w, "%-8s takes %s\n", "", a.words)
		}
	}
	fmt.Fprint(w, "\n?heap=NAME chooses a heap, ?json asks for JSON.\n")
}

// indexPage is what the page of the index shows.
type indexPage struct {
	PID     int
	Heaps   []heapLinks
	Answers []answerLine
}

// heapLinks is a heap, and the query that chooses it.
type heapLinks struct{ Name, Query string }

// answerLine is an answer with what it takes.
type answerLine struct {
	Name, Meaning, Words string
	Linked               bool
}

var indexTemplate = template.Must(template.New("index").Parse(`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>glassheap, process {{.PID}}</title>
<style>body { font-family: sans-serif; margin: 2em } td, th { text-align: left; padding: 0.1em 1.5em 0.1em 0; vertical-align: top }</style>
<h1>glassheap</h1>
{{- range $heap := .Heaps}}
<h2>heap {{$heap.Name}}</h2>
<table>
{{- range $.Answers}}
<tr><td>{{if .Linked}}<a href="{{.Name}}{{$heap.Query}}">{{.Name}}</a>{{else}}{{.Name}}{{end}}<td>{{.Meaning}}<td>{{with .Words}}takes {{.}}{{end}}
{{- end}}
</table>
{{- else}}
<p>This process has no heap.
{{- end}}
<p>?heap=NAME chooses a heap, &amp;json asks for JSON. The command <code>glassheap</code> asks the same of process {{.PID}} from outside.
</html>
`))
