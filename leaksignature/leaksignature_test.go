package leaksignature_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/leaksignature"
)

const text = `# Leak signatures of glassheap: a stack in each paragraph, compared by function and line.

# 4,800 bytes in 100 blocks
main.(*cache).load
	cache.go:42
main.main
	main.go:17

example.com/shop.Open[...]
	open.go:7
...
`

func read(t *testing.T, text string) *leaksignature.Set {
	t.Helper()
	set, err := leaksignature.Read(strings.NewReader(text))
	require.NoError(t, err)
	return set
}

// TestFilesStayWhatTheyAre: what was read is written as it was.
func TestFilesStayWhatTheyAre(t *testing.T) {
	set := read(t, text)
	require.Equal(t, []leaksignature.Signature{
		{Frames: []leaksignature.Frame{{Function: "main.(*cache).load", File: "cache.go", Line: 42}, {Function: "main.main", File: "main.go", Line: 17}}, Note: "4,800 bytes in 100 blocks"},
		{Frames: []leaksignature.Frame{{Function: "example.com/shop.Open[...]", File: "open.go", Line: 7}}, CutOff: true},
	}, set.Signatures())
	var b bytes.Buffer
	require.NoError(t, leaksignature.Write(&b, set.Signatures()))
	require.Equal(t, text, b.String())
}

func frame(function string, line int) runtime.Frame {
	return runtime.Frame{Function: function, Line: line, File: "/build/of/another/machine/x.go", PC: 4711}
}

func TestMatch(t *testing.T) {
	set := read(t, text)
	load, start := frame("main.(*cache).load", 42), frame("main.main", 17)
	inside := frame("github.com/glassheap/glassheap/allocator.(*Heap).Alloc", 300)
	grown := frame("github.com/glassheap/glassheap/offheap.(*Vec[...]).Append", 60)
	around := []runtime.Frame{frame("runtime.main", 290), frame("runtime.goexit", 1700)}
	open := frame("example.com/shop.Open[...]", 7)
	for name, c := range map[string]struct {
		frames []runtime.Frame
		want   bool
	}{
		"the stack":                      {[]runtime.Frame{load, start}, true},
		"with what is around it":         {append([]runtime.Frame{inside, inside, load, start}, around...), true},
		"through a Vec":                  {append([]runtime.Frame{inside, grown, load, start}, around...), true},
		"another line":                   {[]runtime.Frame{frame("main.(*cache).load", 43), start}, false},
		"another line of a caller":       {[]runtime.Frame{load, frame("main.main", 18)}, false},
		"another caller":                 {[]runtime.Frame{load, frame("main.other", 17)}, false},
		"one more caller":                {[]runtime.Frame{load, start, frame("main.more", 1)}, false},
		"no caller":                      {[]runtime.Frame{load}, false},
		"one more callee":                {[]runtime.Frame{frame("main.inner", 1), load, start}, false},
		"cut off":                        {[]runtime.Frame{open}, true},
		"cut off, whoever called":        {[]runtime.Frame{open, load, start}, true},
		"cut off, not the innermost":     {[]runtime.Frame{load, open}, false},
		"the allocator is not innermost": {[]runtime.Frame{load, inside, start}, false},
		"nothing":                        {nil, false},
		"nothing but the allocator":      {[]runtime.Frame{inside}, false},
	} {
		require.Equal(t, c.want, set.Match(c.frames), name)
	}
	require.False(t, (*leaksignature.Set)(nil).Match([]runtime.Frame{load}))
	require.False(t, read(t, "").Match([]runtime.Frame{load}))
}

// TestRealFrames: those of a running program match after they were written and read.
func TestRealFrames(t *testing.T) {
	var pcs [32]uintptr
	all := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	var frames []runtime.Frame
	var s leaksignature.Signature
	for more := true; more; {
		var f runtime.Frame
		f, more = all.Next()
		frames = append(frames, f)
		if f.Function != "runtime.goexit" && f.Function != "" {
			s.Frames = append(s.Frames, leaksignature.Frame{Function: f.Function, File: leaksignature.FileName(f.File), Line: f.Line})
		}
	}
	path := filepath.Join(t.TempDir(), "leaks.txt")
	var b bytes.Buffer
	require.NoError(t, leaksignature.Write(&b, []leaksignature.Signature{s}))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	set, err := leaksignature.ReadFile(path)
	require.NoError(t, err)
	require.True(t, set.Match(frames))
	_, err = leaksignature.ReadFile(path + "x")
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestWhatIsNoSignature(t *testing.T) {
	for text, want := range map[string]string{
		"main.f\n":                              "line 2 of the leak signatures has to say, behind a tab, where main.f is: FILE:LINE",
		"main.f\nmain.g\n":                      "line 2 of the leak signatures has to say",
		"main.f\n\n":                            "line 2 of the leak signatures has to say",
		"\tx.go:1\n":                            "no function stands before it",
		"main.f\n\tx.go:1\n\ty.go:2\n":          "line 3 of the leak signatures says where something is",
		"main.f\n\tx.go\n":                      `has "x.go" where FILE:LINE`,
		"main.f\n\tx.go:-1\n":                   "where FILE:LINE",
		"main.f\n\tx.go:one\n":                  "where FILE:LINE",
		"...\n":                                 "ends a stack that has no call",
		"main.f\n\tx.go:1\n...\nmain.g\n":       "a blank line is missing",
		strings.Repeat("main.f\n\tx:1\n", 5000): "more than 4096 calls",
	} {
		_, err := leaksignature.Read(strings.NewReader(text))
		require.ErrorAs(t, err, new(*leaksignature.SyntaxError), text)
		require.ErrorContains(t, err, want, text)
	}
}

// TestNamesThatLie make no lines of their own.
func TestNamesThatLie(t *testing.T) {
	var b bytes.Buffer
	lies := []leaksignature.Signature{{Note: "a\nb", Frames: []leaksignature.Frame{{Function: "#comment", File: "a\n\tb:1", Line: 1}, {Function: "...", Line: 2}, {File: "x.go", Line: 3}, {Function: "f\n\ng", File: "x.go", Line: 4}}}}
	require.NoError(t, leaksignature.Write(&b, lies))
	set := read(t, b.String())
	require.Len(t, set.Signatures(), 1)
	require.Len(t, set.Signatures()[0].Frames, 4)
}

func FuzzRead(f *testing.F) {
	f.Add(text)
	f.Add("main.f\n\tx.go:1\n...\n")
	f.Add("main.f\n\t/  :0") // a file whose name is blank
	f.Fuzz(func(t *testing.T, text string) {
		set, err := leaksignature.Read(strings.NewReader(text))
		if err != nil {
			return
		}
		var b bytes.Buffer
		require.NoError(t, leaksignature.Write(&b, set.Signatures()))
		again, err := leaksignature.Read(&b)
		require.NoError(t, err)
		require.Len(t, again.Signatures(), len(set.Signatures()))
	})
}
