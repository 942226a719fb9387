//go:build !glassheap_portable

#include "textflag.h"

// What is left when less than a step is left is looked at together with what comes before it, seen or not: the last step ends
// where the block ends.

// func poisoned(block unsafe.Pointer, bytes uint32) bool
TEXT ·poisoned(SB), NOSPLIT, $0-17
	MOVQ block+0(FP), SI
	MOVL bytes+8(FP), CX
	MOVQ $0xdfdfdfdfdfdfdfdf, AX // layout.PoisonWord
	LEAQ (SI)(CX*1), DI
	CMPQ CX, $32
	JCS  short
	MOVQ AX, X0
	PUNPCKLQDQ X0, X0
	PXOR X1, X1 // every bit that is wrong
	SUBQ $64, DI

wide: // 64 bytes at a time
	CMPQ SI, DI
	JCC  last
	MOVOU 0(SI), X2
	MOVOU 16(SI), X3
	MOVOU 32(SI), X4
	MOVOU 48(SI), X5
	PXOR X0, X2
	PXOR X0, X3
	PXOR X0, X4
	PXOR X0, X5
	POR  X2, X3
	POR  X4, X5
	POR  X3, X1
	POR  X5, X1
	ADDQ $64, SI
	JMP  wide

last: // of at most 64, the first 32, if that many come before the last 32, and those
	LEAQ 32(DI), DX
	CMPQ SI, DX
	CMOVQCC DX, SI
	MOVOU 0(SI), X2
	MOVOU 16(SI), X3
	MOVOU 32(DI), X4
	MOVOU 48(DI), X5
	PXOR X0, X2
	PXOR X0, X3
	PXOR X0, X4
	PXOR X0, X5
	POR  X2, X3
	POR  X4, X5
	POR  X3, X1
	POR  X5, X1
	MOVHLPS X1, X2
	POR  X2, X1
	MOVQ X1, AX
	TESTQ AX, AX
	SETEQ ret+16(FP)
	RET

short: // word by word
	CMPQ SI, DI
	JCC  all
	MOVQ 0(SI), DX
	ADDQ $8, SI
	CMPQ DX, AX
	JEQ  short
	MOVB $0, ret+16(FP)
	RET

all:
	MOVB $1, ret+16(FP)
	RET
