package report

// likelyOverflow guesses what kind of mistake wrote the bytes from to to of a block of which requested bytes were asked for.
func likelyOverflow(block []byte, from, to, requested int) string {
	switch {
	case from == requested && to == from+1 && block[from] == 0:
		return "a string copied with its terminator into a buffer made for the string alone"
	case from == requested && to == from+1:
		return "an index or a loop that runs one element too far"
	case from == requested:
		return "a write that is longer than the block; the bytes tell what was written"
	}
	return "an index behind the end: the bytes between were not touched"
}
