package debugging

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCoresElsewhere: a pattern that is a pipe or a path takes cores away, and the reason says what to do.
func TestCoresElsewhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "core_pattern")
	require.Contains(t, coresElsewhere(path), "nobody can tell")
	for pattern, away := range map[string]bool{"core\n": false, "core.%p\n": false, "|/usr/share/apport/apport %p\n": true, "/var/cores/%p\n": true} {
		require.NoError(t, os.WriteFile(path, []byte(pattern), 0o600))
		reason := coresElsewhere(path)
		require.Equal(t, away, reason != "", pattern)
		if away {
			require.Contains(t, reason, "write core to "+path)
		}
	}
}
