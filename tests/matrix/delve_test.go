package matrix

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/dlvscripts"
	"github.com/glassheap/glassheap/internal/debugging"
)

// delve asks a victim that a headless Delve holds: a terminal with the scripts, and the command through the session.
func (a *answers) delve(t *testing.T, rows []row) {
	arguments, stops := plan(rows, "breakpoint", sealed)
	initFile, err := dlvscripts.Unpack(debugging.Folder, dlvscripts.Options{}, "")
	require.NoError(t, err)
	address := debugging.ServeDelve(t, victim(t), arguments...)
	d := debugging.StartDelve(t, debugging.Folder, initFile, "connect", address)
	d.Ask("break main.looked")
	for _, planned := range stops {
		d.Ask("continue")
		sameStop(t, planned, told(t, "stopped: "+strings.TrimLeft(d.Ask("print main.stopped"), `" `)))
		a.add(t, sealed, "gh_check", d.Ask("gh_check --json"))
		a.add(t, sealed, "gh_structs", d.Ask("gh_structs --wrong --json"))
		a.add(t, sealed, "--dlv", debugging.Ask(t, "check", "--json", "--dlv", address))
		core := filepath.Join(t.TempDir(), "core")
		require.Contains(t, d.Ask("dump "+core), "Dumping memory")
		a.add(t, sealed, "dlv dump", debugging.Ask(t, "check", "--json", core))
		require.NoError(t, os.Remove(core)) // it is as large as the program
	}
}
