package glassheaparrow

// Scope takes the place of Arrow's memory.CheckedAllocatorScope: a part of a test that has to give back what it takes.
type Scope struct {
	mem   *Checked
	bytes int // that were allocated when it began
}

// NewScope begins a Scope.
func NewScope(c *Checked) *Scope { return &Scope{c, c.CurrentAlloc()} }

// CheckSize fails the test unless as many bytes are allocated as when the Scope began. What is live, it tells, is from before
// as well. Otherwise it is AssertSize.
func (s *Scope) CheckSize(t TestingT) {
	t.Helper()
	s.mem.AssertSize(t, s.bytes)
}
