// Package inspect answers questions about the memory of a heap, whoever owns it and whatever state it is in.
//
// Data walk one way:
//
//	target    where the bytes come from: a process, a file, a snapshot            package target
//	capture   a copy of the metadata, taken at one moment                         capture.go
//	decode    the copy, made into structs that hang together                      decode.go, lists.go, census.go
//	judge     each struct against its invariants (package layout)                 judge.go
//	scan      each block's seal against where the lists say the block is          scan.go, damage.go
//	answers   check, structs, math, bins, slabs, blocks, whatis, …                one file each
//	lists     which rows of an answer, which columns, in which order              package query, columns.go
//	render    answers as text and JSON                                            package render
//
// What a block is, is told three times: by its seal, by the one list it is on, and by the counts. Check cross-examines them.
//
// Nothing that is read is trusted. Addresses are looked up, never followed blindly; every walk is bounded and finds cycles;
// every size is held against the memory that can be there. Damage becomes a Finding, not an error: an error means that
// there was nothing to look at.
package inspect
