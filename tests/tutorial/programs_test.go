package tutorial

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/debugging"
)

func TestMain(m *testing.M) { debugging.Main(m) }

// programs are the lessons' programs by their names, each built once.
var programs = sync.OnceValues(func() (map[string]string, error) {
	paths := map[string]string{}
	for _, l := range Lessons {
		folder, err := os.MkdirTemp(debugging.Folder, l.Name)
		if err != nil {
			return nil, err
		}
		if paths[l.Name], err = l.Build(context.Background(), folder); err != nil {
			return nil, err
		}
		if err := debugging.Watch("./" + l.Name); err != nil {
			return nil, err
		}
	}
	return paths, nil
})

// program is the path of a lesson's program.
func program(t *testing.T, lesson string) string {
	t.Helper()
	paths, err := programs()
	require.NoError(t, err)
	require.Contains(t, paths, lesson)
	return paths[lesson]
}

// startVictim starts a lesson's program with this in its environment, and returns it with what it has said when it waits.
func startVictim(t *testing.T, lesson string, environment ...string) (p *debugging.Process, said string) {
	t.Helper()
	p = debugging.StartProcess(t, "env", append(environment, program(t, lesson))...)
	for !strings.Contains(said, "ready: ") {
		said += p.Line()
	}
	return p, said
}
