package main

import (
	"context"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPlant: what is built is there, and the commands that are suggested name it.
func TestPlant(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	require.NoError(t, plant(context.Background(), &out, []string{"bintable"}))
	program := regexp.MustCompile(`built  (\S+)`).FindStringSubmatch(out.String())
	require.NotNil(t, program, out.String())
	require.FileExists(t, program[1])
	require.Contains(t, program[1], os.Getenv("TMPDIR"))
	for _, command := range []string{"dlv exec " + program[1], "gdb " + program[1], "structs PID"} {
		require.Contains(t, out.String(), " go run ./cmd/glassheap "+command+"\n")
	}
	require.Contains(t, out.String(), "\nor     "+program[1]+"\n")
}

// TestPlantSaysHowToStart a program that needs something in its environment.
func TestPlantSaysHowToStart(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	require.NoError(t, plant(context.Background(), &out, []string{"leak"}))
	require.Equal(t, 3, strings.Count(out.String(), " GLASSHEAP=mode=audit "), out.String())
}

// TestPlantSaysWhatThereIs, when it is asked for something else.
func TestPlantSaysWhatThereIs(t *testing.T) {
	for _, arguments := range [][]string{nil, {"bintable", "overflow"}} {
		require.ErrorContains(t, plant(context.Background(), nil, arguments), "plant bintable|arithmetic|overflow|doublefree|useafterfree|leak")
	}
	require.ErrorContains(t, plant(context.Background(), nil, []string{"frob"}), `no lesson "frob": choose bintable, arithmetic, overflow, doublefree, useafterfree, leak`)
}
