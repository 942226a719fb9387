// Package screen shows a heap that is being watched on a whole terminal, and takes keys, as top(1) does.
package screen

import (
	"context"
	"errors"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
)

// Options say what is shown, and where.
type Options struct {
	Interval time.Duration // from look to look
	Style    render.Style  // the width is the terminal's
	In, Out  *os.File
}

// Run shows the heap until a key, the context or an error of Look ends it. A *target.NotFoundError says that the process
// has ended or has closed the heap.
func Run(ctx context.Context, w *inspect.Watch, o Options) error {
	m := &model{ctx: ctx, watch: w, options: o}
	p := tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithoutSignalHandler())
	if _, err := p.Run(); err != nil && !errors.Is(err, tea.ErrProgramKilled) {
		return err
	}
	if ctx.Err() != nil {
		return nil // that is how one leaves it
	}
	return m.failure
}

// model is what is on the screen.
type model struct {
	ctx     context.Context
	watch   *inspect.Watch
	options Options
	view    render.WatchView
	pulse   *inspect.Pulse
	width   int
	paused  bool
	looks   int // the number of the tick that is waited for: another key may have started a new one
	failure error
}

// The intervals that + and - choose from.
var intervals = []time.Duration{200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute}

// mostTrend is how many looks are remembered.
const mostTrend = 600

type looked struct {
	pulse *inspect.Pulse
	err   error
}

type due int

// look looks at the heap, away from the screen.
func (m *model) look() tea.Msg {
	pulse, err := m.watch.Look(m.ctx)
	return looked{pulse, err}
}

// wait looks when the interval is over.
func (m *model) wait(after time.Duration) tea.Cmd {
	m.looks++
	this := due(m.looks)
	return tea.Tick(after, func(time.Time) tea.Msg { return this })
}

// Init begins with a look.
func (m *model) Init() tea.Cmd { return m.look }

// Update takes keys and looks.
func (m *model) Update(message tea.Msg) (tea.Model, tea.Cmd) {
	switch message := message.(type) {
	case tea.WindowSizeMsg:
		m.width, m.view.Height = message.Width, message.Height
	case looked:
		if message.err != nil {
			m.failure = message.err
			return m, tea.Quit
		}
		m.pulse = message.pulse
		m.view.Trend = append(m.view.Trend, m.pulse.Stats.LiveBytes)
		m.view.Trend = m.view.Trend[max(0, len(m.view.Trend)-mostTrend):]
		return m, m.wait(m.options.Interval)
	case due:
		if int(message) == m.looks && !m.paused {
			return m, m.look
		}
	case tea.KeyPressMsg:
		return m, m.press(message.String())
	}
	return m, nil
}

// press does what a key says.
func (m *model) press(key string) tea.Cmd {
	switch key {
	case "q", "esc", "ctrl+c":
		return tea.Quit
	case "s":
		m.view.Order = m.view.Order.Next()
	case "tab":
		m.view.Lists = m.view.Lists.Next()
	case "space":
		if m.paused = !m.paused; !m.paused {
			return m.wait(0)
		}
	case "+", "=":
		m.options.Interval = faster(m.options.Interval)
		return m.wait(m.options.Interval)
	case "-":
		m.options.Interval = slower(m.options.Interval)
		return m.wait(m.options.Interval)
	}
	return nil
}

func faster(d time.Duration) time.Duration {
	for i := len(intervals) - 1; i >= 0; i-- {
		if intervals[i] < d {
			return intervals[i]
		}
	}
	return d
}

func slower(d time.Duration) time.Duration {
	for _, i := range intervals {
		if i > d {
			return i
		}
	}
	return d
}

// View draws the frame.
func (m *model) View() tea.View {
	v := tea.NewView("")
	v.AltScreen = true
	if m.pulse == nil || m.width == 0 {
		return v
	}
	shown := m.view
	shown.State = "every " + m.options.Interval.String()
	if m.paused {
		shown.State = "paused"
	}
	shown.Keys = "q quit   s by " + shown.Order.Next().String() + "   tab bins, stacks   space pause   + - pace"
	style := m.options.Style
	style.Width = m.width
	var b strings.Builder
	_ = render.Watch(&b, m.pulse, style, shown) // a Builder takes everything
	v.SetContent(strings.TrimSuffix(b.String(), "\n"))
	return v
}
