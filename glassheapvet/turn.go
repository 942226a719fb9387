package glassheapvet

import (
	"fmt"

	"golang.org/x/tools/go/ssa"
)

// nextTurn reports what a loop frees in each of its turns, though it is allocated before the loop, and what it uses before that
// free. Only loops that end by their condition are looked at, and not those whose condition is a flag: that may be what the flag is for.
func (c *misuse) nextTurn() {
	for _, head := range c.Blocks {
		body := loopAt(head)
		if body == nil || !counts(head, body) {
			continue
		}
		for _, b := range c.Blocks {
			if !body[b] {
				continue
			}
			for _, i := range b.Instrs {
				if o := c.operations[i]; o != nil && o.now() && c.gives(o) {
					c.everyTurn(o, head, body)
				}
			}
		}
	}
}

func (c *misuse) everyTurn(o *operation, head *ssa.BasicBlock, body map[*ssa.BasicBlock]bool) {
	at := o.call.Block()
	for _, p := range head.Preds {
		if body[p] && !at.Dominates(p) {
			return
		}
	}
	block := c.identity(o.block)
	if made, ok := block.(ssa.Instruction); ok && body[made.Block()] {
		return
	}
	c.tell(&mistake{o.call, o.call.Pos(), fmt.Sprintf("%s is freed again in the loop's next turn: free it behind the loop, or allocate it in each turn", c.blockName(o))})
	for _, b := range c.Blocks {
		if !body[b] || !b.Dominates(at) {
			continue
		}
		for _, i := range b.Instrs {
			if i == o.call {
				break
			}
			if m := c.mistake(&state{now: freed{block: o}}, i); m != nil {
				c.tell(m)
			}
		}
	}
}

// loopAt is the body of the loop whose head a block is; nil: it is none's.
func loopAt(head *ssa.BasicBlock) map[*ssa.BasicBlock]bool {
	var body map[*ssa.BasicBlock]bool
	var add func(b *ssa.BasicBlock)
	add = func(b *ssa.BasicBlock) {
		if !body[b] {
			body[b] = true
			for _, p := range b.Preds {
				add(p)
			}
		}
	}
	for _, p := range head.Preds {
		if head.Dominates(p) {
			if body == nil {
				body = map[*ssa.BasicBlock]bool{head: true}
			}
			add(p)
		}
	}
	return body
}

// counts reports whether a loop ends by what its head says alone: one that is written with a condition, or a range. That of a range
// over an integer is tested at the end of each turn.
func counts(head *ssa.BasicBlock, body map[*ssa.BasicBlock]bool) bool {
	var exit *ssa.BasicBlock
	for b := range body {
		if len(b.Succs) == 0 {
			return false
		}
		for _, s := range b.Succs {
			switch {
			case body[s]:
			case exit != nil && exit != b:
				return false
			default:
				exit = b
			}
		}
	}
	if exit == nil {
		return true // it never ends
	}
	switch {
	case head.Comment == "rangeint.body":
	case exit != head:
		return false
	default:
		switch head.Comment {
		case "for.loop", "rangeindex.loop", "rangeiter.loop":
		default:
			return false // for { … if … { break } }
		}
	}
	branch, ok := exit.Instrs[len(exit.Instrs)-1].(*ssa.If)
	if !ok {
		return false
	}
	switch condition := branch.Cond.(type) {
	case *ssa.BinOp:
		// A range over 1, or over a single element, has no next turn.
		limit, ok := integer(condition.Y)
		return !ok || limit > 1
	case *ssa.Extract:
		_, ok := condition.Tuple.(*ssa.Next)
		return ok
	}
	return false
}
