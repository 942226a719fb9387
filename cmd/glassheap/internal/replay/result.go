package replay

// Counts are the recording's own figures; the package comment says what counts as what.
type Counts struct {
	Allocs          uint64 `json:"allocs"`
	Frees           uint64 `json:"frees"` // the unknown ones included
	Reallocs        uint64 `json:"reallocs"`
	UnknownFrees    uint64 `json:"unknown_frees"`    // of blocks that the recording does not know
	UnknownReallocs uint64 `json:"unknown_reallocs"` // likewise
	LostFrees       uint64 `json:"lost_frees"`       // blocks that must have been freed, for their address was given out again
	FailedAllocs    uint64 `json:"failed_allocs"`    // that the recorded program was refused
	PeakLiveBlocks  uint64 `json:"peak_live_blocks"`
	PeakLiveBytes   uint64 `json:"peak_live_bytes"`
	LiveBlocks      uint64 `json:"live_blocks"` // at the end
	LiveBytes       uint64 `json:"live_bytes"`
}

// Result is what a Run did. The counts, the lines and the hand-overs are those of one pass, because all passes are alike: the
// last one that was completed, or the first one as far as it came.
type Result struct {
	Counts
	HandedOver     uint64  `json:"handed_over"` // blocks that another goroutine freed than the one that allocated them
	MalformedLines int     `json:"malformed_lines"`
	TornLastLine   bool    `json:"torn_last_line"`
	Passes         int     `json:"passes"`          // that were completed
	Seconds        float64 `json:"elapsed_seconds"` // of the whole Run: reading, contents and the release at the end included
	// NsPerOperation is how long a Malloc, FreePointer or ReallocPointer took, in nanoseconds: the goroutines' time divided by
	// their operations, the replay's own look at its block included. Only with Options.SkipContents, otherwise 0.
	NsPerOperation float64 `json:"ns_per_operation,omitempty"`
}
