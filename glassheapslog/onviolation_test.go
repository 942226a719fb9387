package glassheapslog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/report"
	"github.com/glassheap/glassheap/glassheapslog"
)

func heap(t *testing.T, o allocator.Options) *allocator.Heap {
	t.Helper()
	o.ReserveBytes = 64 << 20
	h, err := allocator.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = h.Close() })
	return h
}

// records are those of a JSON log.
func records(t *testing.T, log *bytes.Buffer) (list []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		var r map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &r), "%s", line)
		list = append(list, r)
	}
	return list
}

//go:noinline
func load(h *allocator.Heap, n int) []byte {
	b, err := h.Alloc(n)
	if err != nil {
		panic(err)
	}
	return b
}

//go:noinline
func drop(h *allocator.Heap, b []byte) error { return h.Free(b) }

// past is the byte behind a block.
func past(b []byte) *byte { return (*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), len(b))) }

func address(b []byte) string {
	return report.Address(uintptr(unsafe.Pointer(unsafe.SliceData(b)))).String()
}

// stackOf is the stack of one of a record's operations.
func stackOf(r map[string]any, name string) string {
	o, _ := r[name].(map[string]any)
	calls, _ := o["stack"].([]any)
	var list []string
	for _, c := range calls {
		list = append(list, c.(string))
	}
	return strings.Join(list, "\n")
}

// TestRecord: what is known of a violation is in the record, by what the heap watches.
func TestRecord(t *testing.T) {
	const here = "github.com/glassheap/glassheap/glassheapslog_test."
	var b []byte
	for name, c := range map[string]struct {
		options   allocator.Options
		breaks    func(h *allocator.Heap) error
		attribute map[string]any
		absent    []string
		damaged   float64
		stacks    map[string]string
	}{
		"overflow, audited": {
			allocator.Options{Mode: allocator.ModeAudit},
			func(h *allocator.Heap) error { b = load(h, 50); *past(b) = 0; return drop(h, b) },
			map[string]any{"kind": "overflow", "during": "free", "size": 50.0, "state": "live", "detail": "overflow by 1 byte, past a live block of 50",
				"likely": "a string copied with its terminator into a buffer made for the string alone"},
			[]string{"freed", "unreported"},
			1,
			map[string]string{"allocated": here + "load (onviolation_test.go:", "now": here + "drop (onviolation_test.go:"},
		},
		"double free, audited": {
			allocator.Options{Mode: allocator.ModeAudit},
			func(h *allocator.Heap) error { b = load(h, 50); _ = drop(h, b); return drop(h, b) },
			map[string]any{"kind": "double-free", "state": "quarantined", "size": 50.0},
			[]string{"damaged"},
			0,
			map[string]string{"allocated": here + "load (", "freed": here + "drop (", "now": here + "drop ("},
		},
		"double free, sealed": {
			allocator.Options{},
			func(h *allocator.Heap) error { b = load(h, 50); _ = drop(h, b); return drop(h, b) },
			map[string]any{"kind": "double-free", "during": "free"},
			[]string{"damaged", "allocated", "freed"},
			0,
			map[string]string{"now": here + "drop ("}, // who met it is known without an audit
		},
		"foreign": {
			allocator.Options{},
			func(h *allocator.Heap) error { b = make([]byte, 50); return drop(h, b) },
			map[string]any{"kind": "invalid-free"},
			[]string{"damaged", "allocated", "freed", "block", "bin", "size", "state"},
			0,
			map[string]string{"now": here + "drop ("},
		},
		"write after free, by three bytes": {
			allocator.Options{Mode: allocator.ModeAudit},
			func(h *allocator.Heap) error {
				b = load(h, 50)
				_ = drop(h, b)
				copy(b[8:], "abc")
				return h.Close() // tells of it by OnViolation alone
			},
			map[string]any{"kind": "write-after-free", "during": "close"},
			nil,
			3,
			map[string]string{"allocated": here + "load (", "freed": here + "drop ("},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c.options.Name = "sessions"
			var violation *allocator.Violation
			logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{AddSource: true}))
			logs := glassheapslog.OnViolation(logger)
			c.options.OnViolation = func(v *allocator.Violation) { logs(v); violation = v }
			h := heap(t, c.options)
			if err := c.breaks(h); err != nil {
				require.Same(t, violation, err, "it is the error")
			}
			require.NotNil(t, violation)
			list := records(t, &log)
			require.Len(t, list, 1)
			r := list[0]
			require.Equal(t, "ERROR", r["level"])
			require.Equal(t, glassheapslog.Message, r["msg"])
			require.Equal(t, "sessions", r["heap"])
			require.Equal(t, address(b), r["address"])
			require.Equal(t, violation.Detail, r["detail"])
			for name, value := range c.attribute {
				require.Equal(t, value, r[name], name)
			}
			for _, name := range c.absent {
				require.NotContains(t, r, name)
			}
			if c.damaged > 0 {
				damaged := r["damaged"].(map[string]any)
				require.Equal(t, c.damaged, damaged["bytes"])
				require.Regexp(t, `^0x[0-9a-f]+$`, damaged["at"])
			}
			for name, begins := range c.stacks {
				require.True(t, strings.HasPrefix(stackOf(r, name), begins), "%s: %s", name, stackOf(r, name))
			}
			require.NotContains(t, stackOf(r, "now"), "allocator.")
			if next, ok := r["next"].([]any); ok {
				require.Equal(t, violation.Next[0].Line, next[0])
			}
			source := r["source"].(map[string]any)
			require.Regexp(t, "^"+here+`(drop|TestRecord\.func\d+)$`, source["function"])
			require.NotContains(t, log.String(), "abc", "what is in blocks is nobody's business")
		})
	}
}

// TestThen: what comes after the record says what a violation does.
func TestThen(t *testing.T) {
	var log bytes.Buffer
	var order []string
	note := func(v *allocator.Violation) { order = append(order, string(v.Kind)) }
	logger := slog.New(slog.NewTextHandler(&log, nil)).WithGroup("memory")
	h := heap(t, allocator.Options{Policy: allocator.PolicyReport, OnViolation: glassheapslog.OnViolation(logger, note, glassheapslog.Panic)})
	b := load(h, 50)
	require.NoError(t, drop(h, b))
	func() {
		defer func() {
			require.IsType(t, (*allocator.Violation)(nil), recover())
			require.Contains(t, log.String(), `msg="glassheap violation" memory.kind=double-free memory.heap=heap`)
			require.Equal(t, []string{"double-free"}, order)
		}()
		_ = drop(h, b)
		t.Error("it went on")
	}()
	require.NoError(t, drop(h, load(h, 50)), "the heap goes on")

	log.Reset()
	goes := heap(t, allocator.Options{OnViolation: glassheapslog.OnViolation(logger)})
	b = load(goes, 50)
	*past(b) = 0
	require.Error(t, drop(goes, b))
	require.EqualValues(t, 1, goes.Stats().Withdrawn, "the block is out of use")
	*past(b) = 0xa5
}

// handler calls a function with each record.
type handler struct{ handle func(slog.Record) }

func (h handler) Enabled(context.Context, slog.Level) bool { return true }
func (h handler) Handle(_ context.Context, r slog.Record) error {
	h.handle(r)
	return nil
}
func (h handler) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h handler) WithGroup(string) slog.Handler      { return h }

// TestHandlersUseTheHeap, in the middle of a violation, whichever operation met it: none of its locks is held.
func TestHandlersUseTheHeap(t *testing.T) {
	for _, mode := range []allocator.Mode{allocator.ModePlain, allocator.ModeSealed, allocator.ModeAudit} {
		t.Run(mode.String(), func(t *testing.T) {
			var h *allocator.Heap
			logged := 0
			h = heap(t, allocator.Options{Mode: mode, OnViolation: glassheapslog.OnViolation(slog.New(handler{func(slog.Record) {
				logged++
				for _, n := range []int{50, 50_000} {
					require.NoError(t, h.Free(load(h, n)))
				}
				h.Stats()
			}}))})
			require.Error(t, h.Free(make([]byte, 10)))
			large := load(h, 50_000)
			require.NoError(t, h.Free(large))
			require.Error(t, h.Free(large))
			require.Equal(t, 2, logged)
			if mode == allocator.ModePlain {
				return // what follows is told by seals
			}
			b := load(h, 50)
			require.NoError(t, h.Free(b))
			require.Error(t, h.Free(b))
			_, err := h.Realloc(b, 60)
			require.Error(t, err)
			require.Equal(t, 4, logged)
		})
	}
}

// TestManyAreCounted: a handler that breaks a rule itself does not call itself without end, and what is not written is counted.
func TestManyAreCounted(t *testing.T) {
	var h *allocator.Heap
	var b []byte
	logged, met := 0, 0
	h = heap(t, allocator.Options{OnViolation: glassheapslog.OnViolation(slog.New(handler{func(slog.Record) {
		logged++
		_ = h.Free(b)
	}}), func(*allocator.Violation) { met++ })})
	b = load(h, 50)
	require.NoError(t, h.Free(b))
	require.Error(t, h.Free(b))
	require.Equal(t, 10, logged)
	require.Equal(t, 11, met, "the last was only counted")
}

// TestConcurrently: one function serves several heaps and goroutines.
func TestConcurrently(t *testing.T) {
	var log bytes.Buffer
	hook := glassheapslog.OnViolation(slog.New(slog.NewJSONHandler(&log, nil)))
	var all sync.WaitGroup
	for range 4 {
		h := heap(t, allocator.Options{Mode: allocator.ModeAudit, OnViolation: hook})
		all.Go(func() {
			b := load(h, 50)
			_ = h.Free(b)
			_ = h.Free(b)
			_ = h.Free(b)
		})
	}
	all.Wait()
	require.Len(t, records(t, &log), 8)
}

// TestDefault: without a logger it is the one that is slog's at that moment, and a level that is off costs no record.
func TestDefault(t *testing.T) {
	h := heap(t, allocator.Options{OnViolation: glassheapslog.OnViolation(nil)})
	var log bytes.Buffer
	before := slog.Default()
	defer slog.SetDefault(before)
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	require.Error(t, h.Free(make([]byte, 10)))
	require.Len(t, records(t, &log), 1)
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelError + 1})))
	require.Error(t, h.Free(make([]byte, 10)))
	require.Len(t, records(t, &log), 1)
}

// TestValue: of a fault on a guard page, which no policy meets.
func TestValue(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	h := heap(t, allocator.Options{Name: "guarded", GuardRate: 1, OnViolation: glassheapslog.OnViolation(logger)})
	b := load(h, 64)
	require.NoError(t, h.Free(b))
	err := allocator.CatchFaults(func() { b[10] = 1 })
	require.Empty(t, log.String())
	violation, ok := errors.AsType[*allocator.Violation](err)
	require.True(t, ok)
	logger.Warn("the request failed", "violation", glassheapslog.Value(violation))
	r := records(t, &log)[0]["violation"].(map[string]any)
	require.Equal(t, "use-after-free", r["kind"])
	require.Equal(t, "access", r["during"])
	require.Equal(t, 64.0, r["size"])
	require.NotContains(t, r, "bin")
}
