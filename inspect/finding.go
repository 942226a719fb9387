package inspect

import "github.com/glassheap/glassheap/allocator/layout"

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

// same reports whether two findings of different moments are about the same thing, unchanged.
func same(f, g Finding) bool {
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
