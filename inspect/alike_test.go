package inspect_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/inspect"
)

// TestStacksAreAlike: the name of a stack, which is a word in hexadecimal, is no part of its type.
func TestStacksAreAlike(t *testing.T) {
	var findings []inspect.Finding
	for _, name := range []string{"Stack 0xae000001", "Stack 0x2e00000a", "Stack 0xae00001f"} {
		findings = append(findings, inspect.Finding{Code: inspect.CodeMetadata, Struct: name, Field: "Hash"})
	}
	require.Equal(t, [][]int{{0, 1, 2}}, inspect.Alike(findings))
	require.Equal(t, "Stack", inspect.StructType(findings[1]))
}
