//go:build !glassheap_portable

#include "go_asm.h"
#include "textflag.h"

// Each frame pointer points to the caller's frame pointer and the return address. A walk ends where they leave the
// goroutine's stack, whose bounds are the first two words of its g.

// func callStack(addresses []uint64, skip int) int
TEXT ·callStack(SB), NOSPLIT, $0-40
	MOVD addresses_base+0(FP), R0
	MOVD addresses_len+8(FP), R1
	MOVD skip+24(FP), R2
	MOVD 0(g), R3
	MOVD 8(g), R4
	SUB  $16, R4
	MOVD R29, R5
	MOVD ZR, R6

frame:
	CMP  R1, R6
	BGE  done
	CMP  R3, R5
	BLO  done
	CMP  R4, R5
	BHI  done
	TST  $7, R5
	BNE  done
	MOVD 8(R5), R7
	CBZ  R7, done
	MOVD 0(R5), R8
	SUBS $1, R2
	BGE  next
	MOVD R7, (R0)(R6<<3)
	ADD  $1, R6

next:
	CMP  R5, R8
	BLS  done // callers lie above
	MOVD R8, R5
	B    frame

done:
	MOVD R6, ret+32(FP)
	RET

// func recentCaller(recent *recentCallers, skip int) (by caller, place uint32)
TEXT ·recentCaller(SB), NOSPLIT, $0-36
	MOVD recent+0(FP), R0
	MOVD skip+8(FP), R1
	MOVD 8(g), R2
	SUB  $16, R2
	MOVD ·goroutineWord(SB), R3
	CBZ  R3, unknown
	MOVD (g)(R3), R3
	MOVD R3, by_goroutine+16(FP)
	MOVD 0(R29), R4
	SUBS $2, R1
	BEQ  place

own:
	MOVD 0(R4), R4
	SUBS $1, R1
	BNE  own

place: // how high the frame lies in the goroutine's stack, and the two innermost return addresses
	SUB  R4, R2, R5
	MOVD 8(R4), R6
	ADD  R6, R5
	MOVD 0(R4), R7
	CMP  R2, R7
	BHI  mix
	CMP  R4, R7
	BLS  mix
	MOVD 8(R7), R6
	EOR  R6<<20, R5

mix:
	MOVD $const_placeMultiplier, R6
	MUL  R6, R5
	LSR  $(64-const_placeBits), R5
	MOVW R5, place+32(FP)

	// The stack that came from there last.
	ADD  $recentCallers_byPlace, R0, R6
	MOVD (R6)(R5<<3), R5
	LSR  $32, R5, R8 // its depth
	CBZ  R8, other
	AND  $const_stackPlaceMask, R5, R9
	MOVD recentCallers_stacks(R0), R10
	ADD  R9<<3, R10
	ADD  $(const_stackHeadBytes-const_stackGrain), R10 // its frames
	MOVD ZR, R11 // how many are compared
	MOVD ZR, R12

frame:
	MOVD 8(R4), R6
	MOVD (R10)(R11<<3), R7
	CMP  R7, R6
	BNE  other
	ORR  R4, R12
	MOVD R4, R13
	MOVD 0(R4), R4
	ADD  $1, R11
	CMP  R8, R11
	BEQ  end
	CMP  R13, R4
	BLS  other // callers lie above
	CMP  R2, R4
	BLS  frame
	B    other

end: // of what was kept: the stack must end here too, unless no more would have been kept
	TST  $7, R12
	BNE  other
	MOVD recentCallers_depth(R0), R7
	CMP  R7, R8
	BEQ  same
	CMP  R13, R4
	BLS  same
	CMP  R2, R4
	BHI  same
	TST  $7, R4
	BNE  same
	MOVD 8(R4), R7
	CBNZ R7, other

same:
	MOVW R5, by_stack+24(FP)
	RET

unknown:
	MOVW ZR, place+32(FP)

other:
	MOVW ZR, by_stack+24(FP)
	RET

// func g() unsafe.Pointer
TEXT ·g(SB), NOSPLIT, $0-8
	MOVD g, R0
	MOVD R0, ret+0(FP)
	RET
