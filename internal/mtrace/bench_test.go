package mtrace

import (
	"bytes"
	"fmt"
	"io"
	"testing"
)

// BenchmarkNext reads plain text that lies in memory; the lines are as long as real ones.
func BenchmarkNext(b *testing.B) {
	var text bytes.Buffer
	const lines = 20000
	for i := range lines / 2 {
		caller := fmt.Sprintf("@ /usr/lib/x86_64-linux-gnu/libexample.so.1.0:(example_function+%x)[%#x]", i%500*16, 0x1000+i%500*16)
		fmt.Fprintf(&text, "%s + %#x %#x\n", caller, 0x55e4b5c2a620+i*48, i%200)
		fmt.Fprintf(&text, "%s - %#x\n", caller, 0x55e4b5c2a620+i*48)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(text.Bytes()), "benchmark")
		if err != nil {
			b.Fatal(err)
		}
		for err == nil {
			_, err = r.Next()
		}
		if err != io.EOF || r.Report().Events != lines {
			b.Fatal(err, r.Report())
		}
	}
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mlines/s")
}
