package peers

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// A recording with everything in it that a tape must put right.
func TestATapeOfARecording(t *testing.T) {
	path := filepath.Join(t.TempDir(), "small.mtrace")
	recording := `= Start
@ p:[0x1] - 0x900
@ p:[0x1] + 0x100 0x10
@ p:[0x1] + 0x200 0
@ p:[0x1] < 0x100
@ p:[0x1] > 0x300 0x20
@ p:[0x1] - 0x200
@ p:[0x1] + 0x300 0x30
@ p:[0x1] + 0x400 0x40
@ p:[0x1] < 0x800
@ p:[0x1] > 0x500 0x50
@ p:[0x1] < 0x300
@ p:[0x1] > 0x400 0x70
@ p:[0x1] ! 0x500 0x60
`
	if err := os.WriteFile(path, []byte(recording), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := decode(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []event{
		{allocate, 0, 16},
		{allocate, 1, 1}, // no bytes are asked for
		{resize, 0, 32},
		{release, 1, 0},
		{release, 0, 0}, // its free is not in the recording, but its address is given out again
		{allocate, 0, 48},
		{allocate, 1, 64},
		{allocate, 2, 80}, // a realloc of what was not known
		{release, 1, 0},   // a block is moved to its address
		{resize, 0, 112},
		{release, 0, 0}, {release, 2, 0}, // what is live at the end
	}
	if !slices.Equal(got.events, want) || got.places != 3 || got.pairs != 7 {
		t.Errorf("%d places, %d pairs, %v\nwant %v", got.places, got.pairs, got.events, want)
	}
}

func TestARecordingOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty.mtrace")
	if err := os.WriteFile(path, []byte("= Start\n@ p:[0x1] - 0x900\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTrace(path); err == nil {
		t.Error("no error")
	}
}
