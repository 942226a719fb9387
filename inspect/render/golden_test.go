package render_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/render"
)

var update = flag.Bool("update", false, "rewrite the golden files: read them before you commit them")

// TestMain makes the texts those of a terminal that shows signs like × and – in one column, whatever the locale says.
func TestMain(m *testing.M) {
	text.OverrideRuneWidthEastAsianWidth(false)
	os.Exit(m.Run())
}

// columns is how wide a line may be: that of a terminal nobody has made wider.
const columns = 80

// golden compares a text with a file of testdata. It also looks at what is true of every text: that its lines fit, that
// nothing is left at their ends, and that colours change nothing but the colours.
func golden(t *testing.T, name string, write func(io.Writer, render.Style) error) {
	t.Helper()
	goldenWithin(t, name, columns, write)
}

// goldenWithin is golden for a text whose lines can't be as short as that.
func goldenWithin(t *testing.T, name string, columns int, write func(io.Writer, render.Style) error) {
	t.Helper()
	plain := textOf(t, write, false)
	require.NotContains(t, plain, "\x1b", "colours that nobody asked for")
	require.NotContains(t, plain, "%!", "a format that does not fit its values")
	for _, line := range strings.Split(plain, "\n") {
		require.Equal(t, strings.TrimRight(line, " "), line, "blanks at the end of a line")
		require.LessOrEqual(t, utf8.RuneCountInString(line), columns, "a line that is too wide: %s", line)
	}
	require.True(t, strings.HasSuffix(plain, "\n") && !strings.HasSuffix(plain, "\n\n"), "the end of the text")
	sameAsFile(t, name+".golden", plain)
}

// goldenInColor is golden, and the same in colours.
func goldenInColor(t *testing.T, name string, write func(io.Writer, render.Style) error) {
	t.Helper()
	golden(t, name, write)
	colored := textOf(t, write, true)
	require.Contains(t, colored, "\x1b")
	if !strings.HasPrefix(name, "hexdump") { // which says with signs what colours would say
		require.Equal(t, textOf(t, write, false), escapes.ReplaceAllString(colored, ""), "colours that change more than the colour")
	}
	sameAsFile(t, name+".color.golden", readable(colored))
}

func textOf(t *testing.T, write func(io.Writer, render.Style) error, color bool) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b, render.Style{Target: "4711", Width: columns, Color: color}))
	return b.String()
}

// escapes are the colours in a text.
var escapes = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// readable shows colours in a way that a golden file can be read.
func readable(text string) string {
	names := strings.NewReplacer("«0»", "»", "«31;1»", "red«", "«32»", "green«", "«2»", "dim«", "«36»", "cyan«", "«1»", "bold«", "«33»", "yellow«")
	return names.Replace(escapes.ReplaceAllString(text, "«$1»"))
}

func sameAsFile(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update, and read what it wrote")
	require.Equal(t, string(want), text, "%s: should the text have changed, run the test with -update, and read what it wrote", path)
}
