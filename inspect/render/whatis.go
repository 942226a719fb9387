package render

import (
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// Whatis writes what an address belongs to.
func Whatis(w io.Writer, r *inspect.WhatisReport, s Style) error {
	p := newPage(w, s)
	p.Clauses("", "  ", p.Paint(strong, r.Address.String())+" is "+r.Sentence)
	if b := r.Block; b != nil {
		seal := []string{"seal " + p.seal(b.Seal)}
		if b.Seal == inspect.SealNone {
			seal = nil
		}
		if b.Bin >= 0 {
			seal = append(seal, "block before: "+p.neighbour(r.Before), "after: "+p.neighbour(r.After))
		}
		if len(seal) > 0 {
			p.Flow("", "  ", seal, "; ")
		}
	}
	if r.Block != nil && (r.Finding == nil || r.Finding.Block == nil) {
		p.Operations(r.Block, "")
	}
	if f := r.Finding; f != nil {
		p.Printf("\n")
		p.Prose("", p.Paint(damaged, f.Summary))
		p.Body(f, "   ")
	}
	for _, note := range r.Notes {
		p.note(note)
	}
	switch {
	case r.Block != nil:
		p.next(p.command("hexdump", r.Block.Address.String()), "its bytes")
	case r.Struct != "" && r.Kind == "metadata" && r.Struct != "schema":
		p.next(p.command("dump", r.Address.String()), "the whole struct")
	}
	return p.Err
}

func (p *page) neighbour(b *inspect.Block) string {
	switch {
	case b == nil:
		return "none"
	case b.Seal.Damaged():
		return p.place(b.Place) + ", seal " + p.seal(b.Seal)
	}
	return p.place(b.Place)
}
