// Package glassheapslog writes violations of a heap's rules to a structured log:
//
//	h, err := allocator.New(allocator.Options{Name: "sessions", OnViolation: glassheapslog.OnViolation(slog.Default())})
//
// Each violation is one record at level Error, whose message is Message and whose attributes are those of Attrs.
//
// # What happens then
//
// Options.OnViolation stands in the place of Options.Policy, so the policy in Options or in GLASSHEAP has no effect on a heap that has
// it. What comes after the record is for then to say. Without any, the program goes on as with allocator.PolicyReport: Free and
// Realloc return the violation as their error, Alloc takes another block, and a damaged block is never handed out again. To end the
// operation by a panic, as with allocator.PolicyPanic:
//
//	OnViolation: glassheapslog.OnViolation(logger, glassheapslog.Panic)
//
// A fault on a guard page is no call of OnViolation: the program ends by it, and package recorder tells of it, or
// allocator.CatchFaults makes an error of it. For errors there is Value:
//
//	var v *allocator.Violation
//	if errors.As(err, &v) {
//		logger.Error("the request failed", "violation", glassheapslog.Value(v))
//	}
//
// # What is logged
//
// Addresses, sizes, and functions of the program; never what the program keeps in its blocks. `glassheap check` shows the bytes.
package glassheapslog

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/internal/reportlimit"
)

// Message is what every record says.
const Message = "glassheap violation"

// OnViolation makes a function for Options.OnViolation that writes a record to the logger, or where it is nil to the one that is
// slog.Default then, and calls the functions of then one after the other. The record's source is the call that met the violation.
//
// It may serve several heaps and be called by several goroutines at the same time. It holds no lock while the logger's handler runs,
// which may use the heap. Of many violations in a short time some are only counted, as with allocator.PolicyReport: ten records at
// once, then one a second, which says in the attribute unreported how many came before it; then is called for each. So a handler that
// breaks a rule of the heap itself does not call itself without end.
func OnViolation(logger *slog.Logger, then ...func(*allocator.Violation)) func(*allocator.Violation) {
	limit := new(reportlimit.Limit)
	return func(v *allocator.Violation) {
		if write, left := limit.Allow(time.Now()); write {
			to := logger
			if to == nil {
				to = slog.Default()
			}
			record(to, v, left)
		}
		for _, next := range then {
			next(v)
		}
	}
}

// Panic panics with the violation: for the end of OnViolation's then.
func Panic(v *allocator.Violation) { panic(v) }

// record writes a violation.
func record(logger *slog.Logger, v *allocator.Violation, left int) {
	ctx := context.Background()
	if !logger.Enabled(ctx, slog.LevelError) {
		return
	}
	var pcs [mostFrames]uintptr
	stack := users(pcs[:runtime.Callers(3, pcs[:])]) // it begins with who called the function that OnViolation made
	r := slog.NewRecord(time.Now(), slog.LevelError, Message, stack.pc)
	r.AddAttrs(attributes(v, stack.frames)...)
	if left > 0 {
		r.AddAttrs(slog.Int("unreported", left))
	}
	_ = logger.Handler().Handle(ctx, r) // as Logger.Error does
}
