//go:build soak

package recorder_test

const killRounds = 200
