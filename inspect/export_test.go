package inspect

// Piece is a struct among the descriptors of a heap.
type Piece struct {
	Start, Bytes uint64
	Kind         string
}

// Pieces are all structs among the descriptors.
func (h *Heap) Pieces() (pieces []Piece) {
	for _, p := range h.pieces {
		pieces = append(pieces, Piece{p.start, p.bytes, p.kind})
	}
	return pieces
}
