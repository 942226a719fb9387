package inspect

import "github.com/glassheap/glassheap/allocator/layout"

// Code says what kind of damage a finding is about.
type Code string

// The codes, as every output shows them.
const (
	CodeOverflow       Code = "overflow"            // bytes behind a live block were written
	CodeUnderflow      Code = "underflow"           // bytes before a live block were written
	CodeWriteAfterFree Code = "write-after-free"    // a free block was written to, or written into from before it
	CodeDoubleListed   Code = "double-listed"       // a block is free twice over, or free and live
	CodeLostBlock      Code = "lost-block"          // a block is on no list
	CodeList           Code = "list-damage"         // a list leads where it may not: a cycle, another bin, nowhere
	CodeMetadata       Code = "metadata-corruption" // a field does not hold what must be true of it
	CodeHeader         Code = "header-corruption"   // the same for the header: nothing behind it can be believed
)

// Severity says how sure a finding is.
type Severity string

const (
	// SeverityDamage is certain: the heap's memory was written by somebody else than the heap.
	SeverityDamage Severity = "damage"
	// SeverityUnsettled could be an operation under way: the lock of what it is about is held, or the process could not be
	// held still.
	SeverityUnsettled Severity = "unsettled"
)

// Finding is one thing that is wrong, with what it follows from. Sizes are in bytes.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Address  Address  `json:"address"`            // of the struct or the block
	Struct   string   `json:"struct,omitempty"`   // "Slab 17"
	Field    string   `json:"field,omitempty"`    // of that struct
	Found    string   `json:"found,omitempty"`    // what the field holds
	Expected string   `json:"expected,omitempty"` // what it should hold
	Why      string   `json:"why,omitempty"`      // what the expectation follows from
	Summary  string   `json:"summary"`            // what happened, in a few words
	Cause    string   `json:"cause,omitempty"`    // what most likely led to it
	Block    *Block   `json:"block,omitempty"`    // the block that it is about
	Excerpt  *Excerpt `json:"excerpt,omitempty"`  // the bytes, with the damaged ones marked
}

// Excerpt is a piece of memory around damage. From and To are indexes into Bytes: the first damaged byte, and the one behind
// the last.
type Excerpt struct {
	Start  Address `json:"start"`
	Offset int     `json:"offset"` // of the first byte, from the block's start
	Bytes  []byte  `json:"bytes"`
	From   int     `json:"damaged_from"`
	To     int     `json:"damaged_to"`
	Seal   int     `json:"seal"` // index of the seal's first byte
}

// same reports whether two findings of different moments are about the same thing, unchanged.
func (f Finding) same(g Finding) bool {
	return f.Code == g.Code && f.Address == g.Address && f.Struct == g.Struct && f.Field == g.Field && f.Found == g.Found && f.Expected == g.Expected
}

// fromVerdict is the finding that a wrong field makes.
func fromVerdict(code Code, name string, address uint64, v layout.Verdict) Finding {
	f := Finding{
		Code: code, Severity: SeverityDamage, Address: Address(address), Struct: name, Field: v.Field, Found: v.Found, Expected: v.Expected, Why: v.Why,
		Summary: name + "." + v.Field + " holds " + v.Found + ", expected " + v.Expected,
		Cause:   "something that is not the heap wrote to its metadata, or a bit of memory flipped",
	}
	if code == CodeLostBlock {
		f.Summary = "a free block is on no list"
	}
	if v.UnderWay {
		f.Severity = SeverityUnsettled
	}
	return f
}
