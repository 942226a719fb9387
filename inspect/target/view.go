package target

// Viewer is a Target that can show its memory where it lies, without copying.
type Viewer interface {
	// View is the memory from offset on, read-only, valid until Close; nil when it can't be shown. It may change while it is
	// looked at. Only pages that the heap says are in use may be read through it: reading a hole would make the owner's file
	// grow by a page. The memory never goes away under the reader, whatever the owner does.
	View(offset, bytes int64) []byte
}
