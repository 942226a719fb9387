package layout

// Tally is the count of a magazine and everything that was ever done through it, in one word that is updated by one
// addition: allocations and frees are counted at no cost beside the count itself, and the word checks itself.
//
//	bits 0..7    blocks in the magazine now
//	bits 8..63   allocStep × allocations + freeStep × frees, modulo 2⁵⁶
//
// A magazine's Inflow says how many blocks were brought into it, less those taken out in batches, so
// count = Inflow - allocations + frees. Two equations, two unknowns: both totals follow. The steps are chosen so that any
// one bit flipped in Tally or Inflow makes the totals come out above 2⁵⁰, which no real magazine reaches (a hundred million
// operations a second for four months): a flipped count cannot pass for a count.
type Tally uint64

const (
	allocStep   = 0x3da28a1a81682c
	freeStep    = 0x3341b4a260cd0b
	stepInverse = 0x6ab76862f19087 // (allocStep + freeStep)⁻¹ modulo 2⁵⁶
	tallyMask   = 1<<56 - 1
	tallyLimit  = 1 << 50

	// TallyAlloc is added to a Tally when one block is taken by the user.
	TallyAlloc Tally = allocStep<<8 - 1
	// TallyFree is added to a Tally when one block is given back by the user.
	TallyFree Tally = freeStep<<8 + 1
)

// Count is the number of blocks in the magazine.
func (t Tally) Count() int { return int(t & 0xff) }

// Totals derives how many blocks were taken from and given to the magazine by the user. ok is false when no history of
// takes and gives leads to this word: it, or inflow, is damaged.
func (t Tally) Totals(inflow int64) (allocs, frees uint64, ok bool) {
	surplus := uint64(int64(t.Count()) - inflow) // frees - allocs
	allocs = (uint64(t>>8) - freeStep*surplus) * stepInverse & tallyMask
	frees = allocs + surplus
	return allocs, frees, allocs < tallyLimit && frees < tallyLimit
}
