package report

import "strings"

// Code says what kind of thing is wrong: a kind of damage, or the kind of a violation.
type Code string

// Severity says how sure a finding is.
type Severity string

const (
	// SeverityDamage is certain: the heap's memory was written by somebody else than the heap, or a rule was broken.
	SeverityDamage Severity = "damage"
	// SeverityUnsettled could be an operation under way: the lock of what it is about is held, or the process could not be
	// held still.
	SeverityUnsettled Severity = "unsettled"
)

// Finding is one thing that is wrong, with what it follows from. Sizes are in bytes.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Heap     string   `json:"heap,omitempty"`     // its name, where the answer does not say it
	During   string   `json:"during,omitempty"`   // the operation that met it
	Address  Address  `json:"address"`            // of the struct or the block, or as it was passed to the operation
	Struct   string   `json:"struct,omitempty"`   // "Slab 17"
	Field    string   `json:"field,omitempty"`    // of that struct
	Found    string   `json:"found,omitempty"`    // what the field holds
	Expected string   `json:"expected,omitempty"` // what it should hold
	Why      string   `json:"why,omitempty"`      // what the expectation follows from
	Summary  string   `json:"summary"`            // what happened, in a few words
	Cause    string   `json:"cause,omitempty"`    // what most likely led to it
	Block    *Block   `json:"block,omitempty"`    // the block that it is about
	Excerpt  *Excerpt `json:"excerpt,omitempty"`  // the bytes, with the damaged ones marked

	Now  *Operation `json:"now,omitempty"`  // who met it
	Next []Command  `json:"next,omitempty"` // what to do now, where the answer does not say it
}

// Command is a command line that leads on, and what for.
type Command struct {
	Line string `json:"line"`
	Why  string `json:"why"`
}

// Body writes what belongs to a finding, below its headline: which block, the bytes with the damage marked, the likely cause,
// who allocated it, who freed it, who met it, what to do next.
func (p *Page) Body(f *Finding, indent string) {
	if f.Block != nil {
		p.Clauses(p.BodyLabel("block", indent), indent+strings.Repeat(" ", 10), f.Block.Address.String()+", "+f.Block.Where())
	}
	switch {
	case f.Struct != "" && f.Excerpt != nil:
		p.Clauses(p.BodyLabel("behind", indent), indent+strings.Repeat(" ", 10), f.behind())
	case f.Struct != "" && f.Block != nil:
		p.Prose(p.BodyLabel("struct", indent), strings.TrimSuffix(f.Struct+", "+f.Field, ", "))
	case f.Struct != "":
		p.Prose(p.BodyLabel("struct", indent), f.Placed())
	}
	if f.Excerpt != nil {
		p.excerpt(f, indent)
	} else if f.Found != "" {
		p.Prose(p.BodyLabel("found", indent), p.Paint(Damaged, f.Found))
		p.Prose(p.BodyLabel("expected", indent), f.Expected+p.Because(f))
	}
	p.Likely(f, indent)
	p.operations(f, indent)
	label := p.BodyLabel("next", indent)
	for _, c := range f.Next {
		p.Command(label, c.Line, c.Why)
		label = indent + strings.Repeat(" ", 10)
	}
}

// BodyLabel says what stands beside it.
func (p *Page) BodyLabel(name, indent string) string {
	return indent + p.Paint(Dim, name+strings.Repeat(" ", max(0, 10-len(name))))
}

// Placed is the struct of a finding and where it lies.
func (f *Finding) Placed() string {
	at := " at " + f.Address.String()
	return strings.TrimSuffix(f.Struct, at) + at
}

// behind says of which slab it is that the bytes lie behind its last block, and where they are.
func (f *Finding) behind() string {
	text := "the last block of " + strings.ToLower(f.Struct)
	if f.Block == nil {
		text += ", whose struct is at " + f.Address.String()
	}
	return text + "; written from " + f.Excerpt.Damaged().String() + " on"
}

// Because is what an expectation follows from, in brackets.
func (p *Page) Because(f *Finding) string {
	if f.Why == "" {
		return ""
	}
	return " " + p.Paint(Dim, "("+f.Why+")")
}

// Likely writes what most likely led to a finding.
func (p *Page) Likely(f *Finding, indent string) {
	if f.Cause != "" {
		p.Prose(p.BodyLabel("likely", indent), f.Cause)
	}
}

// Operations writes who allocated a block and who freed it, as far as that is known.
func (p *Page) Operations(b *Block, indent string) {
	p.operations(&Finding{Block: b}, indent)
}

// operations writes who allocated the block, who freed it, and who was at it now, as far as these are known.
func (p *Page) operations(f *Finding, indent string) {
	now, width := "found by", OperationLabel
	if f.freedAgain() {
		now, width = "freed again by", len("freed again by  ")
	}
	if f.Now == nil {
		width = OperationLabel
	}
	if f.Block != nil {
		p.Operation(indent, "allocated by", width, f.Block.Allocated)
		p.Operation(indent, "freed by", width, f.Block.Freed)
	}
	p.Operation(indent, now, width, f.Now)
}

// freedAgain reports whether who met the finding is who freed the block for the second time.
func (f *Finding) freedAgain() bool { return f.Code == "double-free" && f.During == "free" }
