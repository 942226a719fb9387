package main

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"golang.org/x/term"

	"github.com/glassheap/glassheap/inspect/render"
)

// terminal is where answers go, and how.
type terminal struct {
	in, out, err *os.File
	json         bool
	color        string
}

func isTerminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

func (t *terminal) checkColor() error {
	if t.color != "auto" && t.color != "always" && t.color != "never" {
		return fmt.Errorf("--color %q: choose auto, always or never", t.color)
	}
	return nil
}

// style is how text is written: in colours on a terminal, unless NO_COLOR (https://no-color.org) or the flag says otherwise.
func (t *terminal) style(name string) render.Style {
	s := render.Style{Target: name, Color: t.color == "always" || t.color == "auto" && isTerminal(t.out) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
	if isTerminal(t.out) {
		s.Width, _, _ = term.GetSize(int(t.out.Fd()))
	}
	return s
}

// usualLines is the height of a terminal when nothing is known of it.
const usualLines = 24

// lines is the height of the terminal.
func (t *terminal) lines() int {
	if _, lines, err := term.GetSize(int(t.out.Fd())); err == nil && lines > 0 {
		return lines - 1 // the shell's prompt comes below
	}
	return usualLines
}

// answer writes an answer as JSON, or as text by the function that is given.
func (t *terminal) answer(answer any, text func(io.Writer) error) error {
	if t.json {
		return render.JSON(t.out, answer)
	}
	return text(t.out)
}

// quiet is how long work goes on before its progress is shown.
const quiet = time.Second

// showProgress shows on a terminal how far work has come, once it has taken a second. The function it returns ends that; it
// must be called.
func (t *terminal) showProgress(what string) (update func(done, total int64), end func()) {
	if !isTerminal(t.err) || t.json {
		return func(int64, int64) {}, func() {}
	}
	var done, total atomic.Int64
	ended, shown := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(shown)
		select {
		case <-ended:
			return
		case <-time.After(quiet):
		}
		w := progress.NewWriter()
		w.SetOutputWriter(t.err)
		w.SetStyle(progress.StyleBlocks)
		w.SetUpdateFrequency(100 * time.Millisecond)
		tracker := &progress.Tracker{Message: what, Total: max(total.Load(), 1), RemoveOnCompletion: true}
		w.AppendTracker(tracker)
		go w.Render()
		for {
			select {
			case <-ended:
				tracker.MarkAsDone()
				w.Stop()
				return
			case <-time.After(100 * time.Millisecond):
				tracker.UpdateTotal(max(total.Load(), 1))
				tracker.SetValue(min(done.Load(), max(total.Load(), 1)-1))
			}
		}
	}()
	return func(d, all int64) { done.Store(d); total.Store(all) }, func() { close(ended); <-shown }
}
