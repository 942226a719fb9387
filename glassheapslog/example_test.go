package glassheapslog_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/glassheapslog"
)

// ExampleOnViolation frees a block twice, which Free returns as its error after it was logged.
func ExampleOnViolation() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		switch a.Key {
		case "level", "msg", "kind", "heap", "during", "size":
			return a
		}
		return slog.Attr{} // the rest differs from run to run
	}}))
	h, err := allocator.New(allocator.Options{Name: "sessions", Mode: allocator.ModeAudit, OnViolation: glassheapslog.OnViolation(logger)})
	if err != nil {
		panic(err)
	}
	defer h.Close()
	b, err := h.Alloc(50)
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Free(b))
	fmt.Println(h.Free(b) != nil)
	// Output:
	// <nil>
	// level=ERROR msg="glassheap violation" kind=double-free heap=sessions during=free size=50
	// true
}
