package glassheapvet

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"
)

func TestChecks(t *testing.T) {
	folder, err := filepath.Abs("testdata/checks")
	require.NoError(t, err)
	for _, a := range Analyzers() {
		t.Run(a.Name, func(t *testing.T) { analysistest.Run(t, folder, a, "./"+a.Name) })
	}
	t.Run("mistakes that tests want", func(t *testing.T) { analysistest.Run(t, folder, UseAfterFree, "./wanted") })
}

func TestAnalyzersAreValid(t *testing.T) {
	require.NoError(t, analysis.Validate(Analyzers()))
}
