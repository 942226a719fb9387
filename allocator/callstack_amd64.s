//go:build !glassheap_portable

#include "textflag.h"

// func callStack(addresses []uint64, skip int) int
//
// Each frame begins with the caller's frame pointer and the return address. The walk ends where they leave the goroutine's
// stack, whose bounds are the first two words of its g.
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

// func g() unsafe.Pointer
TEXT ·g(SB), NOSPLIT, $0-8
	MOVQ (TLS), AX
	MOVQ AX, ret+0(FP)
	RET
