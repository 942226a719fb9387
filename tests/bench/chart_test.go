package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestChart(t *testing.T) {
	c := invented()
	c.Command = "go run . -run '<&>'"
	var out strings.Builder
	if err := writeChart(&out, c); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{
		`>pair/64</text>`, `>burst/64</text>`, `>sealed 4.0 ns</text>`,
		`>modernc-mutex</text>`, `>5.0</text>`, // 20 ns of a sealed heap's 4
		c.Machine.Date, `-run &#39;&lt;&amp;&gt;&#39;`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is missing from\n%s", want, out.String())
		}
	}
	if got := strings.Count(out.String(), "<rect "); got != 2 {
		t.Errorf("%d bars, want 2", got)
	}
}

func TestAChartOfNothing(t *testing.T) {
	if err := writeChart(io.Discard, &Comparison{}); err == nil {
		t.Error("no error")
	}
}
