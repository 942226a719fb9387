package inspect

import (
	"fmt"

	"github.com/glassheap/glassheap/allocator/layout"
)

// stackTable is the heap's call stacks: each once, one behind the other.
type stackTable struct {
	layout.StackTable
	address Address
	stacks  map[layout.StackRef]stack
	order   []layout.StackRef // of the stacks, as they lie
	used    uint64            // bytes of the stacks that were found
	chained uint64            // of these, how many the chains reach
	room    uint64
}

// stack is one call stack: its return addresses, the innermost first.
type stack struct {
	layout.Stack
	addresses []uint64
}

// decodeStacks walks the stacks one behind the other, and then the chains.
func (h *Heap) decodeStacks() {
	r, f := h.capture.stacks, h.format
	if !f.audit || uint64(len(r.bytes)) < f.stackTable.bytes {
		return // no audit ever was
	}
	t := &stackTable{address: Address(r.start), stacks: map[layout.StackRef]stack{}, room: f.stackRoom(&h.id) - f.stackTable.bytes}
	f.stackTable.fill(&t.StackTable, r.bytes)
	h.stacks = t
	first := r.start + f.stackTable.bytes
	end := first + min(t.Used, uint64(len(r.bytes))-f.stackTable.bytes)
	at := first
	for at < end {
		s, ok := f.stack.get(r, at)
		bytes := f.stackBytes(s.Depth)
		if !ok || s.Depth == 0 || uint64(s.Depth) > f.stackDepth || at+bytes > end {
			h.problems.add(t.Lock.Held(), func() Finding {
				return fromVerdict(CodeMetadata, "Stack at "+Address(at).String(), at, layout.Verdict{
					Field: "Depth", Found: fmt.Sprint(s.Depth), Expected: fmt.Sprintf("1..%d", f.stackDepth), Why: "frames that are kept, up to the end of the stacks", UnderWay: t.Lock.Held(),
				})
			})
			break
		}
		found := stack{Stack: s, addresses: make([]uint64, s.Depth)}
		for i := range found.addresses {
			found.addresses[i], _ = get[uint64](r, at+f.stack.bytes+8*uint64(i))
		}
		hash := layout.HashStack(found.addresses)
		ref := layout.RefStack(at-first, hash)
		t.stacks[ref] = found
		t.order = append(t.order, ref)
		at += bytes
	}
	t.used = at - first
	h.walkChains(t)
}

// walkChains counts the stacks that the buckets lead to. Each link leads to an older stack, so the chains end.
func (h *Heap) walkChains(t *stackTable) {
	for bucket, ref := range t.Buckets {
		owner, field, address, below := "StackTable", fmt.Sprintf("Buckets[%d]", bucket), t.address, t.used
		for ref != 0 {
			s, ok := t.stacks[ref]
			if !ok || s.Hash%layout.StackBuckets != uint64(bucket) || ref.Offset() >= below {
				h.problems.add(t.Lock.Held(), func() Finding {
					return fromVerdict(CodeList, owner, uint64(address), layout.Verdict{
						Field: field, Found: layout.Hex(uint64(ref)), Expected: "0 or an older stack of this bucket", Why: "what a chain of the stack table may lead to", UnderWay: t.Lock.Held(),
					})
				})
				break
			}
			t.chained++
			owner, field, address, below = "Stack "+layout.Hex(uint64(ref)), "Next", t.address+Address(h.format.stackTable.bytes+ref.Offset()), ref.Offset()
			ref = s.Next
		}
	}
}

// stored reports whether the table has a stack of this name.
func (h *Heap) stored(ref layout.StackRef) bool {
	if h.stacks == nil {
		return false
	}
	_, ok := h.stacks.stacks[ref]
	return ok
}

func (h *Heap) judgeStacks(visit func(Judgement), all bool) {
	t := h.stacks
	if t == nil {
		return
	}
	facts := layout.StackTableFacts{Used: t.used, Count: uint64(len(t.stacks)), Chained: t.chained, Room: t.room, Holders: uint32(h.format.caches)}
	h.judgeStruct(visit, all, title("StackTable"), "StackTable", uint64(t.address), func(j *layout.Judge) { t.Judge(j, facts) })
	for _, ref := range t.order {
		s := t.stacks[ref]
		address := uint64(t.address) + h.format.stackTable.bytes + ref.Offset()
		h.judgeStruct(visit, all, title("Stack "+layout.Hex(uint64(ref))), "Stack", address, func(j *layout.Judge) {
			s.Judge(j, layout.StackFacts{Hash: layout.HashStack(s.addresses), Self: ref, Stored: h.stored})
		})
	}
}
