package gdb

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSpeed says how long the answers take on a heap of a million blocks. Nothing depends on it: the machine may be busy.
func TestSpeed(t *testing.T) {
	needGDB(t)
	script := filepath.Join(t.TempDir(), "times.py")
	require.NoError(t, os.WriteFile(script, []byte(`
import time, gdb
for command in ("glassheap bins", "glassheap slabs", "glassheap whatis b", "glassheap structs", "print *h", "glassheap check", "glassheap check"):
    started = time.monotonic()
    gdb.execute(command, False, True)
    print("{:<20} {:6.2f} s".format(command, time.monotonic() - started))
`), 0o600))
	transcript := play(t, "break main.ready\nrun big\nsource "+script+"\nglassheap stats", victim(t))
	t.Logf("a heap of 4,000 slabs and a million blocks; aims: bins 0.5 s, check 10 s\n%s", answer(t, transcript, "source "+script))
	require.Contains(t, answer(t, transcript, "glassheap stats"), "1,000,000")
}
