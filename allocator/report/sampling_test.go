package report_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/allocator/layout"
	"github.com/glassheap/glassheap/allocator/report"
)

// TestSamplesStandForOthers: as many as the rate says, but never for more than there are.
func TestSamplesStandForOthers(t *testing.T) {
	s := report.Sampling{Rate: 64, Live: 10_000, Recorded: 150}
	scales := func(blocks, bytes uint64, s report.Sampling) {
		t.Helper()
		aboutBlocks, aboutBytes := s.Scale(100, 4_000)
		require.Equal(t, []uint64{blocks, bytes}, []uint64{aboutBlocks, aboutBytes})
	}
	scales(6_400, 256_000, s)
	s.Live = 9_000 // chance has recorded more than one of 64
	scales(6_000, 240_000, s)
	s.Live = 9_001
	scales(6_001, 240_040, s) // whole blocks of 40 bytes
	scales(100, 4_000, report.Sampling{Live: 9_000, Recorded: 150})
	blocks, bytes := report.Sampling{Rate: 64, Live: 9_000}.Scale(0, 0)
	require.Zero(t, blocks+bytes)
}

// TestWhatSamplesDoNotStandFor is older than the profile, unless there is so little of it that it is chance.
func TestWhatSamplesDoNotStandFor(t *testing.T) {
	s := report.Sampling{Rate: 10, Live: 1_100, Recorded: 100}
	require.Zero(t, s.Rest(1_100, 100), "10 blocks more or less would be recorded by chance")
	s.Live = 6_000
	require.EqualValues(t, 5_000, s.Rest(6_000, 100))
	require.EqualValues(t, 64_000, s.Rest(70_000, 600), "bytes")
	s.Recorded = 0
	require.EqualValues(t, 6_000, s.Rest(6_000, 0))
	require.EqualValues(t, 5_900, report.Sampling{Live: 6_000, Recorded: 100}.Rest(6_000, 100), "every block is recorded")
}

func TestSampledRate(t *testing.T) {
	require.EqualValues(t, 64, report.SampledRate(layout.ModeSealed, 64, 0))
	require.EqualValues(t, 64, report.SampledRate(layout.ModeSealed, 64, 1024))
	require.EqualValues(t, 16, report.SampledRate(layout.ModeSealed, 64, 16), "guarded blocks are recorded too")
	for _, none := range []uint64{report.SampledRate(layout.ModeSealed, 1, 0), report.SampledRate(layout.ModeSealed, 0, 64), report.SampledRate(layout.ModeAudit, 64, 0)} {
		require.Zero(t, none)
	}
}
