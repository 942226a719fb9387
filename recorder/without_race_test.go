//go:build !race

package recorder_test

var buildFlags = []string{"build"}
