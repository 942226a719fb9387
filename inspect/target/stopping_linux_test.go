package target

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStopWhole: the process stands still from Open to Close, and longer than the limit it does not.
func TestStopWhole(t *testing.T) {
	pid, _, count := busyOwner(t, orders{})
	still, err := OpenProcess(pid, Options{Stop: StopWhole})
	require.NoError(t, err)
	requireFrozen(t, count)
	_, isStopper := still.(Stopper)
	require.False(t, isStopper, "there is nothing left to stop")
	stood, err := still.(StandingStill).StoodStill()
	require.NoError(t, err)
	require.Positive(t, stood)
	_, err = still.(Rooted).Roots(t.Context(), func([]byte) {})
	require.NoError(t, err)
	require.NoError(t, still.Close())
	requireProgress(t, count)
	require.True(t, untraced(pid))
}

func TestStopWholeIsBounded(t *testing.T) {
	pid, from, count := busyOwner(t, orders{})
	still, err := standStill(from.(*otherProcess), time.Millisecond)
	require.NoError(t, err)
	requireProgress(t, count)
	eventually(t, "nobody holds it", func() bool { return untraced(pid) })
	_, err = still.StoodStill()
	require.ErrorAs(t, err, new(*StopError))
	_, err = still.ReadAt(make([]byte, 8), 0)
	require.ErrorAs(t, err, new(*StopError), "what is read now is of another moment")
	require.Nil(t, still.View(0, 8))
	_, err = still.Roots(t.Context(), func([]byte) {})
	require.ErrorAs(t, err, new(*StopError))
}

func TestStopNever(t *testing.T) {
	pid, _, count := busyOwner(t, orders{})
	running, err := OpenProcess(pid, Options{Stop: StopNever})
	require.NoError(t, err)
	defer running.Close()
	_, err = running.(Stopper).Stop(t.Context())
	require.ErrorAs(t, err, new(*UnwantedStopError))
	require.True(t, StopRefused(err))
	require.True(t, untraced(pid))
	requireProgress(t, count)
}

func TestStoppingIsAWord(t *testing.T) {
	for _, s := range Stoppings {
		var read Stopping
		require.NoError(t, read.Set(s.String()))
		require.Equal(t, s, read)
	}
	require.EqualError(t, new(Stopping).Set("sometimes"), "choose one of auto (for moments, when an answer needs it), "+
		"never (not at all: what only a stop could settle stays unsettled), whole (from beginning to end, for 10s at most)")
}
