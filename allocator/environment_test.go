package allocator

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheEnvironmentOverrides what the program asked for.
func TestTheEnvironmentOverrides(t *testing.T) {
	t.Setenv(Environment, "mode=audit, guard=1/1000,quarantine=64KiB,stack-depth=8,policy=report,")
	h, err := New(Options{Mode: ModePlain, ReserveBytes: 16 << 20, Policy: PolicyPanic})
	require.NoError(t, err)
	defer h.Close()
	require.Equal(t, ModeAudit, h.Mode())
	require.EqualValues(t, 1024, h.header().GuardRate)
	require.EqualValues(t, 64<<10, h.options.QuarantineBytes)
	require.Equal(t, 8, h.options.StackDepth)
	require.Equal(t, PolicyReport, h.options.Policy)
}

// TestTheEnvironmentIsRefused when it says what there is not; the error lists what there is.
func TestTheEnvironmentIsRefused(t *testing.T) {
	for text, complaint := range map[string]string{
		"loud":                           `no key "loud": choose mode, guard, profile, limit, scavenge, hugepages, quarantine, stack-depth, break, armable, policy`,
		"mode":                           `mode accepts plain, sealed, audit, not ""`,
		"mode=loud":                      `mode accepts plain, sealed, audit, not "loud"`,
		"guard=1000":                     `guard accepts 1/N, off, not "1000"`,
		"guard=1/0":                      `guard accepts 1/N`,
		"guard=1/-3":                     `guard accepts 1/N`,
		"limit=4095":                     `limit accepts a size such as 64KiB or 4GiB, off, not "4095"`,
		"limit=none":                     `limit accepts`,
		"scavenge=0s":                    `scavenge accepts a time such as 500ms or 1m, off, not "0s"`,
		"scavenge=never":                 `scavenge accepts`,
		"quarantine=many":                `quarantine accepts a size such as 4096, 64KiB or 16MiB, not "many"`,
		"quarantine=0":                   `quarantine accepts`,
		"quarantine=9999TiB":             `quarantine accepts`,
		"quarantine=9007199254740993KiB": `quarantine accepts`, // more than 63 bits
		"break=":                         `break accepts a file`,
		"stack-depth=33":                 `stack-depth accepts 1 to 32, not "33"`,
		"policy=cry":                     `policy accepts panic, report, not "cry"`,
	} {
		t.Setenv(Environment, text)
		_, err := New(Options{})
		require.ErrorContains(t, err, complaint)
		require.ErrorContains(t, err, Environment+"="+text)
	}
	t.Setenv(Environment, "guard=off,quarantine=12 MiB,limit=3MiB")
	h, err := New(Options{ReserveBytes: 16 << 20, LimitBytes: 8 << 20})
	require.NoError(t, err)
	require.EqualValues(t, 12<<20, h.options.QuarantineBytes)
	require.EqualValues(t, 3<<20, h.Stats().LimitBytes)
	require.NoError(t, h.Close())
}

// TestTheExamplesOfTheEnvironmentAreAccepted: help shows them.
func TestTheExamplesOfTheEnvironmentAreAccepted(t *testing.T) {
	for _, k := range EnvironmentKeys() {
		_, err := Options{}.override(k.Key + "=" + k.Example)
		require.NoError(t, err, k.Key)
		require.NotEmpty(t, k.Example)
		require.NotEmpty(t, k.Meaning)
	}
}
