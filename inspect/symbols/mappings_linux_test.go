package symbols_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect/symbols"
)

// mappings are those of a file in a process.
func mappings(t *testing.T, pid int, path string) (list []symbols.Mapping) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(raw)) {
		if strings.HasSuffix(strings.TrimSpace(line), path) {
			var m symbols.Mapping
			var flags string
			_, err := fmt.Sscanf(line, "%x-%x %s %x", &m.Start, &m.End, &flags, &m.Offset)
			require.NoError(t, err)
			list = append(list, m)
		}
	}
	require.NotEmpty(t, list)
	return list
}
