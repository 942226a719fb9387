package debugging

import "os"

// Share says of the n-th of many alike things whether a test should take it: one of so many, unless GLASSHEAP_TEST_THOROUGH is set,
// as it is in CI. So `go test ./...` stays quick.
func Share(n, of int) bool { return n%of == 0 || os.Getenv("GLASSHEAP_TEST_THOROUGH") != "" }
