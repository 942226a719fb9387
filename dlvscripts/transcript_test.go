package dlvscripts

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/delvesession"
)

var update = flag.Bool("update", false, "rewrite the transcripts in testdata and in docs")

// transcript is a session as a person would see it.
type transcript struct {
	session *session
	played  *delvesession.Transcript
	text    *strings.Builder
}

func record(s *session) *transcript {
	played := delvesession.Record(s.Session)
	return &transcript{s, played, &played.Text}
}

// typed types commands and keeps them and their answers.
func (r *transcript) typed(commands ...string) *transcript {
	r.played.Typed(commands...)
	return r
}

// golden holds a transcript against its file.
func (r *transcript) golden(name string) {
	path := filepath.Join("testdata", "transcripts", name+".txt")
	if *update {
		require.NoError(r.session.t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(r.session.t, os.WriteFile(path, []byte(r.text.String()), 0o644))
	}
	expected, err := os.ReadFile(path)
	require.NoError(r.session.t, err)
	require.Equal(r.session.t, string(expected), r.text.String(), "read the difference, then run the test with -update")
}

func TestTranscripts(t *testing.T) {
	for _, scene := range []struct {
		name     string
		scenes   []string
		commands []string
	}{
		{"questions", []string{"nothing", "shop"}, []string{
			"gh", "gh_check", "continue", "gh", "gh_check", "gh_structs", "gh_structs --type Arena --fields", "gh_bins", "gh_slabs 34", "gh_blocks 72", "gh_slab block",
			"gh_whatis block", "gh_whatis &h", "gh_hexdump block", "gh_map", "gh_map 34", "gh_check 34", "gh_check block",
		}},
		{"several", []string{"several", "notes"}, []string{"gh_check", "gh_check heap=users", "gh_bins #1", "gh_whatis block", "gh_blocks block", "gh_bins heap=nobody", "continue", "gh_math heap=notes"}},
		{"mistyped", []string{"shop"}, []string{
			"gh_bins --frob", "gh_slabs 99", "gh_slabs 1 2", "gh_blocks 7000", "gh_whatis", "gh_whatis 0x10", "gh_hexdump 0x10", "gh_hexdump block none", "gh_check slab", "gh_check 99", "gh_structs --type Apple",
			"gh_map 99", "gh_break", "gh_break alloc", "gh_break alloc many", "gh_break init now", "gh_watch 0x10", "gh_watch", "gh_slab 7000", "gh_whatis nosuchname",
		}},
	} {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			record(startHeaps(t, scene.scenes...)).typed(scene.commands...).golden(scene.name)
		})
	}
}
