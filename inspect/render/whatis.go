package render

import (
	"io"

	"github.com/glassheap/glassheap/inspect"
)

// Whatis writes what an address belongs to.
func Whatis(w io.Writer, r *inspect.WhatisReport, s Style) error {
	p := newPage(w, s)
	p.printf("%s is %s\n", p.paint(strong, r.Address.String()), r.Sentence)
	if b := r.Block; b != nil {
		seal := "seal " + string(b.Seal)
		if b.Seal != inspect.SealIntact && b.Seal != inspect.SealNone {
			seal = p.paint(damaged, seal)
		}
		p.printf("%s", seal)
		if b.Bin >= 0 {
			p.printf("; block before: %s; after: %s", p.neighbour(r.Before), p.neighbour(r.After))
		}
		p.printf("\n")
	}
	if f := r.Finding; f != nil {
		p.printf("\n%s\n", p.paint(damaged, f.Summary))
		p.findingBody(*f, "  ")
	}
	switch {
	case r.Block != nil:
		p.next(p.command("hexdump", r.Block.Address.String()), "its bytes")
	case r.Struct != "" && r.Kind == "metadata" && r.Struct != "schema":
		p.next(p.command("dump", r.Address.String()), "the whole struct")
	}
	return p.err
}

func (p *page) neighbour(b *inspect.Block) string {
	switch {
	case b == nil:
		return "none"
	case b.Seal == inspect.SealBroken || b.Seal == inspect.SealSlack || b.Seal == inspect.SealWrong:
		return p.place(b.Place) + ", " + p.paint(damaged, "seal "+string(b.Seal))
	}
	return p.place(b.Place)
}
