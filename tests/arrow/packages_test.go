//go:build modules && linux

package arrow

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/glassheap/glassheap/internal/upstream"
)

// packages are those of the module that allocate, with their tests.
var packages = []string{
	"arrow", "arrow/array", "arrow/array/arreflect", "arrow/arrio", "arrow/avro", "arrow/bitutil", "arrow/compute", "arrow/compute/exec",
	"arrow/compute/exprs", "arrow/compute/internal/kernels", "arrow/csv", "arrow/encoded", "arrow/extensions", "arrow/internal/dictutils",
	"arrow/ipc", "arrow/math", "arrow/memory", "arrow/scalar", "arrow/tensor", "arrow/util",
	"parquet", "parquet/file", "parquet/internal/encoding", "parquet/internal/encoding/streaming",
	"parquet/internal/utils", "parquet/metadata", "parquet/pqarrow", "parquet/schema", "parquet/variant",
}

// readFreed are tests that read what they have freed, and find there what chance has left. With GoAllocator, whose Free does
// nothing, they pass.
var readFreed = map[string]*regexp.Regexp{
	// genListViewData of arrow/internal/testing/gen releases the lengths and goes on to use their bitmap and their values.
	"arrow/array": regexp.MustCompile(`^TestConcatenate(/(large_)?list_view(/.*)?)?$`),
	// They look at the values of chunks that they have released; those that lie in spans are inaccessible, which ends the program.
	"parquet/file": regexp.MustCompile(`^TestPageStreamingRecordReader(/.*)?$`),
	// makeTestFile returns the bytes of a buffer that it releases.
	"parquet/pqarrow": regexp.MustCompile(`^TestParquetArrowIO(/(TestReadSingleColumnFile|TestSingleColumnRequiredRead)(/.*)?)?$`),
	// It keeps the strings of a record, which lie in its buffers, until after the reader has released it.
	"arrow/csv": regexp.MustCompile(`^TestInferringSchemaWithoutHeaderPreservesFirstRow$`),
}

// TestArrow: what passes with memory.GoAllocator passes on glassheap, without a finding.
func TestArrow(t *testing.T) {
	original, changed := upstream.Source(t, arrowVersion), upstream.Source(t, arrowVersion)
	onGlassheap(t, changed)
	glassheap := filepath.Join(t.TempDir(), "glassheap")
	upstream.Go(t, upstream.Repository(t), "build", "-o", glassheap, "./cmd/glassheap")
	for _, name := range packages {
		t.Run(name, func(t *testing.T) {
			// Without vet: a later language version has it refuse some of their formats.
			first := suite{program: upstream.TestProgram(t, original, "./"+name, "-vet=off"), folder: filepath.Join(original, name)}
			before := first.run(t, "", "sealed")
			t.Logf("original: %d tests and subtests pass", len(before.passed))
			require.NotEmpty(t, before.passed, "%v\n%s", before.ended, end(before.said))
			second := suite{program: upstream.TestProgram(t, changed, "./"+name, "-vet=off"), folder: filepath.Join(changed, name), glassheap: glassheap}
			for _, mode := range []string{"sealed", "audit"} {
				o := second.run(t, "", mode)
				second.again(t, &o, before, mode)
				t.Logf("%s: %d tests and subtests pass, %d checks with %d findings", mode, len(o.passed), o.checks, len(o.findings))
				require.NotZero(t, o.checks)
				for _, told := range o.findings {
					t.Errorf("%s: a finding:\n%s", mode, told)
				}
				failed := missing(o.passed, before.passed)
				if known := readFreed[name]; known != nil {
					all := len(failed)
					failed = slices.DeleteFunc(failed, known.MatchString)
					t.Logf("%s: %d tests and subtests do not pass that read what they have freed", mode, all-len(failed))
				}
				if len(failed) > 0 {
					t.Errorf("pass with GoAllocator, not %s: %s\n%s", mode, strings.Join(failed, " "), end(o.said))
				}
			}
		})
	}
}
