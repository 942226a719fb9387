package model

import (
	"flag"
	"os"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"github.com/glassheap/glassheap/allocator"
)

// TestMain sets how deep the tests go when nobody says so.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "20", "rapid.steps": "40", "rapid.shrinktime": "10s", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}

// TestOneGoroutine checks the whole heap after each step. On one P what comes next follows from what was chosen, so rapid can
// shrink what fails.
func TestOneGoroutine(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	each(t, func(t *testing.T, g allocator.Geometry, m allocator.Mode) {
		if m == allocator.ModeAudit && !oneCache {
			t.Skip("the model knows what one cache holds back")
		}
		directory := t.TempDir()
		rapid.Check(t, func(t *rapid.T) {
			c := drawn{t}
			w := newWorld(t, drawOptions(c, g, m), directory)
			defer w.heap.Close()
			defer w.other.Close()
			w.alone = true
			p := &player{world: w, choices: c}
			must := func(err error) {
				if err != nil {
					t.Fatalf("%v", err)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"step": func(t *rapid.T) {
					p.choices = drawn{t}
					must(p.step())
				},
				"": func(*rapid.T) {
					must(w.verdict(p))
					must(p.glance())
				},
			})
			leave := 0
			if c.below(4, "leak") == 0 {
				leave = 3
			}
			must(w.finish(leave, p))
		})
	})
}
