package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// progress is one line on a terminal that says what is being measured and how long it will go on. Anywhere else it is silent.
type progress struct {
	out     io.Writer // nil: silent
	started time.Time
	total   int
	done    int // steps that are behind us
}

func newProgress(out io.Writer) *progress {
	if file, ok := out.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &progress{out: out}
	}
	return &progress{}
}

func (p *progress) begin(steps int) { p.started, p.total = time.Now(), steps }

// step says what begins now.
func (p *progress) step(format string, arguments ...any) {
	if p.out == nil {
		return
	}
	left := ""
	if p.done > 0 {
		perStep := time.Since(p.started) / time.Duration(p.done)
		left = fmt.Sprintf("   %v left", (perStep * time.Duration(p.total-p.done)).Round(time.Second))
	}
	fmt.Fprintf(p.out, clearLine+format+left, arguments...)
	p.done++
}

func (p *progress) end() {
	if p.out != nil {
		fmt.Fprint(p.out, clearLine)
	}
}

const clearLine = "\r\x1b[K"
