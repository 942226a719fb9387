//go:build !glassheap_portable

#include "textflag.h"

// func callStack(addresses []uint64, skip int) int
//
// Each frame pointer points to the caller's frame pointer and the return address. The walk ends where they leave the
// goroutine's stack, whose bounds are the first two words of its g.
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

// func g() unsafe.Pointer
TEXT ·g(SB), NOSPLIT, $0-8
	MOVD g, R0
	MOVD R0, ret+0(FP)
	RET
