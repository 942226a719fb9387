package allocator_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator"
	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/internal/debugging"
)

var update = flag.Bool("update", false, "rewrite the golden files: read them before you commit them")

// What differs from one run to the next, and what it is in the golden files.
const (
	goldenData   = uint64(0x7f6900000000)
	goldenSecret = uint64(0x5eed_0f_a_5ea1_cafe)
	goldenPID    = "4711"
	goldenName   = "shop"
)

// TestWhatAViolationSays of each kind, as text and as JSON: which block, the bytes with the damage marked, the likely cause,
// who allocated it, who freed it and who freed it again, what to do next.
func TestWhatAViolationSays(t *testing.T) {
	if !allocator.CachesBelongToPs() {
		t.Skip("with -tags glassheap_portable it is chance which block is handed out: run it without")
	}
	told := map[allocator.Kind]bool{}
	for _, r := range rules {
		told[r.kind] = true
		t.Run(r.name, func(t *testing.T) {
			v, relocate := broken(t, r)
			require.NotNil(t, v, "nobody was told")
			require.Equal(t, r.kind, v.Kind, "%v", v)
			text := relocate(v.Error()) + "\n"
			for i, line := range strings.Split(text, "\n") {
				require.Equal(t, strings.TrimRight(line, " "), line, "blanks at the end of a line")
				require.True(t, i == 0 || utf8.RuneCountInString(line) <= 80, "a line that is too wide: %s", line)
			}
			require.True(t, strings.HasPrefix(v.Error(), v.Summary()+"\n"), "the first line says what happened")
			var answer bytes.Buffer
			e := json.NewEncoder(&answer)
			e.SetIndent("", "  ")
			e.SetEscapeHTML(false)
			require.NoError(t, e.Encode(v.Finding()))
			debugging.Golden(t, filepath.Join("testdata", "violations", r.name+".txt"), text, *update)
			debugging.Golden(t, filepath.Join("testdata", "violations", r.name+".json"), relocate(answer.String()), *update)
		})
	}
	for _, kind := range []allocator.Kind{allocator.Overflow, allocator.Underflow, allocator.DoubleFree, allocator.InvalidFree,
		allocator.SizeMismatch, allocator.WriteAfterFree, allocator.UseAfterFree, allocator.OutOfBounds} {
		require.True(t, told[kind], "%s is not told", kind)
	}
}

// broken breaks a rule, and tells what was said and how to make that the same in every run. A guarded block lies at the start
// of its page or at its end, as chance will have it: the end is waited for.
func broken(t *testing.T, r rule) (v *allocator.Violation, relocate func(string) string) {
	t.Helper()
	procs := runtime.GOMAXPROCS(1) // all blocks come from one cache
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	for range 100 {
		if v, relocate = brokenOnce(t, r); r.options.GuardRate == 0 || v != nil && v.Block%layout.PageBytes != 0 {
			return v, relocate
		}
	}
	require.Fail(t, "no guarded block ends where its page does")
	return nil, nil
}

func brokenOnce(t *testing.T, r rule) (v *allocator.Violation, relocate func(string) string) {
	t.Helper()
	o := r.options
	o.Name, o.ReserveBytes, o.OnViolation = goldenName, 16<<20, func(found *allocator.Violation) { v = found }
	h, err := allocator.New(o)
	require.NoError(t, err)
	defer h.Close()
	base, size, data := allocator.MoveSeals(h, goldenData, goldenSecret)
	if err := r.run(h); err != nil {
		require.ErrorAs(t, err, &v)
	}
	return v, func(text string) string {
		text = hexadecimal.ReplaceAllStringFunc(text, func(word string) string {
			if a, err := strconv.ParseUint(word, 0, 64); err == nil && a-base < size {
				return fmt.Sprintf("%#x", a-data+goldenData)
			}
			return word
		})
		text = addresses.ReplaceAllString(text, "")
		text = goroutines(text)
		text = folders.ReplaceAllString(text, `"file": "/src/$1"`)
		return strings.NewReplacer(fmt.Sprintf("whatis %d ", os.Getpid()), "whatis "+goldenPID+" ", filepath.Base(os.Args[0]), "shop").Replace(text)
	}
}

var (
	hexadecimal = regexp.MustCompile(`0x[0-9a-f]+`)
	addresses   = regexp.MustCompile(`(?s)\n *"addresses": \[.*?\],`) // of code: where the compiler has put it
	folders     = regexp.MustCompile(`"file": "[^"]*/([^/"]+)"`)
	goroutine   = regexp.MustCompile(`(goroutine"?:? )(\d+)`)
)

// goroutines numbers the goroutines of a text from 7 on.
func goroutines(text string) string {
	names := map[string]int{}
	return goroutine.ReplaceAllStringFunc(text, func(match string) string {
		parts := goroutine.FindStringSubmatch(match)
		if _, ok := names[parts[2]]; !ok {
			names[parts[2]] = 7 + len(names)
		}
		return parts[1] + strconv.Itoa(names[parts[2]])
	})
}
