package target

// Viewer is a Target that can show its memory where it lies, without copying.
type Viewer interface {
	// View is the memory from offset on, read-only, valid until Close; nil when it can't be shown, or holds a hole, which a
	// read through it would fill in the owner's file. It may change while it is looked at, but it never goes away under the
	// reader, whatever the owner does.
	View(offset, bytes int64) []byte
}
