package symbols

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVarint(t *testing.T) {
	for raw, want := range map[string]uint32{
		"\x00": 0, "\x7f": 127, "\x80\x01": 128, "\xff\xff\xff\xff\x0f": 1<<32 - 1,
	} {
		c := cursor{window: newWindow(bytes.NewReader([]byte(raw))), end: 100}
		got, ok := c.varint()
		require.True(t, ok)
		require.Equal(t, want, got)
		_, ok = c.varint()
		require.False(t, ok, "the file ends, before the table should")
	}
	for _, raw := range []string{"", "\x80", "\x80\x80\x80\x80\x80\x00"} {
		c := cursor{window: newWindow(bytes.NewReader([]byte(raw))), end: int64(len(raw))}
		_, ok := c.varint()
		require.False(t, ok, "%q", raw)
	}
}

// TestValueTakesNoLongerThanAllowed has a long table that gets nowhere.
func TestValueTakesNoLongerThanAllowed(t *testing.T) {
	raw := bytes.Repeat([]byte{2, 0}, 100_000)
	table := &Table{window: newWindow(bytes.NewReader(raw)), module: &module{pcHeader: &pcHeader{quantum: 1}, valueTable: extent{0, int64(len(raw))}}}
	table.steps = 1000
	require.EqualValues(t, -1, table.value(2, 5))
	require.Zero(t, table.steps)
}
