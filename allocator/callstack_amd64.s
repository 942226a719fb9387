//go:build !glassheap_portable

#include "go_asm.h"
#include "textflag.h"

// Each frame begins with the caller's frame pointer and the return address. A walk ends where they leave the goroutine's
// stack, whose bounds are the first two words of its g.

// func callStack(addresses []uint64, skip int) int
TEXT ·callStack(SB), NOSPLIT, $0-40
	MOVQ addresses_base+0(FP), DI
	MOVQ addresses_len+8(FP), SI
	MOVQ skip+24(FP), DX
	MOVQ (TLS), R8
	MOVQ 0(R8), R9
	MOVQ 8(R8), R10
	SUBQ $16, R10
	MOVQ BP, BX
	XORQ AX, AX

frame:
	CMPQ AX, SI
	JGE  done
	CMPQ BX, R9
	JB   done
	CMPQ BX, R10
	JA   done
	TESTQ $7, BX
	JNE  done
	MOVQ 8(BX), CX
	TESTQ CX, CX
	JEQ  done
	MOVQ 0(BX), R11
	SUBQ $1, DX
	JGE  next
	MOVQ CX, (DI)(AX*8)
	ADDQ $1, AX

next:
	CMPQ R11, BX
	JLS  done // callers lie above
	MOVQ R11, BX
	JMP  frame

done:
	MOVQ AX, ret+32(FP)
	RET

// func recentCaller(recent *recentCallers, skip int) (by caller, place uint32)
TEXT ·recentCaller(SB), NOSPLIT, $0-36
	MOVQ recent+0(FP), DI
	MOVQ skip+8(FP), DX
	MOVQ (TLS), R9
	MOVQ 8(R9), R10
	SUBQ $16, R10
	MOVQ ·goroutineWord(SB), CX
	TESTQ CX, CX
	JEQ  unknown
	MOVQ (R9)(CX*1), R9
	MOVQ R9, by_goroutine+16(FP)
	MOVQ 0(BP), BX
	SUBQ $2, DX
	JEQ  place

own:
	MOVQ 0(BX), BX
	SUBQ $1, DX
	JNE  own

place: // how high the frame lies in the goroutine's stack, and the two innermost return addresses
	MOVQ R10, AX
	SUBQ BX, AX
	ADDQ 8(BX), AX
	MOVQ 0(BX), R11
	CMPQ R11, R10
	JHI  mix
	CMPQ R11, BX
	JLS  mix
	MOVQ 8(R11), CX
	SHLQ $20, CX
	XORQ CX, AX

mix:
	MOVQ $const_placeMultiplier, CX
	IMULQ CX, AX
	SHRQ $(64-const_placeBits), AX
	MOVL AX, place+32(FP)

	// The stack that came from there last.
	MOVQ recentCallers_byPlace(DI)(AX*8), AX
	MOVQ AX, DX
	SHRQ $32, DX
	JEQ  other
	MOVL AX, R12
	ANDL $const_stackPlaceMask, R12
	ADDQ DX, R12
	MOVQ recentCallers_stacks(DI), SI
	LEAQ (const_stackHeadBytes-const_stackGrain)(SI)(R12*8), R12 // where its frames end
	NEGQ DX
	MOVQ DX, SI
	XORL R8, R8

frame:
	MOVQ 8(BX), CX
	CMPQ CX, (R12)(DX*8)
	JNE  other
	ORQ  BX, R8
	MOVQ BX, R11
	MOVQ 0(BX), BX
	ADDQ $1, DX
	JEQ  end
	CMPQ BX, R11
	JLS  other // callers lie above
	CMPQ BX, R10
	JLS  frame
	JMP  other

end: // of what was kept: the stack must end here too, unless no more would have been kept
	TESTQ $7, R8
	JNE  other
	ADDQ recentCallers_depth(DI), SI
	JEQ  same
	CMPQ BX, R11
	JLS  same
	CMPQ BX, R10
	JHI  same
	TESTQ $7, BX
	JNE  same
	CMPQ 8(BX), $0
	JNE  other

same:
	MOVL AX, by_stack+24(FP)
	RET

unknown:
	MOVL $0, place+32(FP)

other:
	MOVL $0, by_stack+24(FP)
	RET

// func g() unsafe.Pointer
TEXT ·g(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET
