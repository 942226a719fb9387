package symbols_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// TestAnOriginIsEnough to name a program's addresses when the program is gone, wherever it was loaded.
func TestAnOriginIsEnough(t *testing.T) {
	for name, arguments := range map[string][]string{"plain": nil, "-buildmode=pie": {"-buildmode=pie"}} {
		t.Run(name, func(t *testing.T) {
			path := build(t, join(arguments), nil, arguments...)
			pid, stacks := start(t, path)
			origin, err := symbols.OriginOf(pid)
			require.NoError(t, err)
			require.Regexp(t, `^go:`, origin.BuildID)
			table, err := symbols.OpenOrigin(path, origin)
			require.NoError(t, err)
			defer table.Close()
			compare(t, table, stacks)

			_, err = symbols.OpenOrigin(path, symbols.Origin{BuildID: "go:another", Entry: origin.Entry})
			require.ErrorAs(t, err, new(*symbols.WrongExecutableError))
			_, err = symbols.OpenOrigin(path, symbols.Origin{Entry: origin.Entry})
			require.ErrorIs(t, err, symbols.ErrNoBuildID)
			_, err = symbols.OpenOrigin(path, symbols.Origin{BuildID: origin.BuildID})
			require.ErrorAs(t, err, new(*symbols.BiasError))
		})
	}
	_, err := symbols.OriginOf(1 << 29)
	require.Error(t, err)
}

// TestAnExecutableOfNobody can be looked at where it can only have been in one place.
func TestAnExecutableOfNobody(t *testing.T) {
	table, err := symbols.OpenUnmatched(plain(t))
	require.NoError(t, err)
	require.NoError(t, table.Close())
	_, err = symbols.OpenUnmatched(build(t, "-buildmode=pie", nil, "-buildmode=pie"))
	require.ErrorAs(t, err, new(*symbols.BiasError))
}
