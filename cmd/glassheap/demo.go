package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/render"
	"github.com/glassheap/glassheap/inspect/target"
)

// demonstrated is the answer of the demo command.
type demonstrated struct {
	Before  *inspect.CheckReport   `json:"check_before"`
	Check   *inspect.CheckReport   `json:"check"`
	Whatis  *inspect.WhatisReport  `json:"whatis"`
	Hexdump *inspect.HexdumpReport `json:"hexdump"`
}

func newDemo(t *terminal) *cobra.Command {
	var victim bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "see it find an overflow in another process",
		Long: `demo starts a second process that keeps a few hundred names in a heap, and lets
it make a common mistake: it copies a name with a terminator into a block that
was made for the name alone. Then it questions that process from outside, with
the same commands that you would use.`,
		Args: noArguments,
	}
	c.Flags().BoolVar(&victim, "victim", false, "be the second process")
	_ = c.Flags().MarkHidden("victim")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if victim {
			return demoVictim(t.in, t.out)
		}
		return runDemo(c.Context(), t)
	}
	return c
}

// demoChild is the second process. It does what it is told by lines on its standard input, and ends with that.
type demoChild struct {
	command *exec.Cmd
	tell    io.WriteCloser
	hear    *bufio.Reader
}

func startDemoChild(ctx context.Context) (*demoChild, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("the second process can't be started: %w", err)
	}
	child := &demoChild{command: exec.CommandContext(ctx, program, "demo", "--victim")}
	child.command.Stderr = os.Stderr
	if child.tell, err = child.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := child.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	child.hear = bufio.NewReader(out)
	if err := child.command.Start(); err != nil {
		return nil, fmt.Errorf("the second process can't be started: %w", err)
	}
	return child, nil
}

// say sends a line and returns the one that comes back.
func (c *demoChild) say(line string) (string, error) {
	if _, err := fmt.Fprintln(c.tell, line); err != nil {
		return "", fmt.Errorf("the second process went away: %w", err)
	}
	answer, err := c.hear.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the second process went away: %w", err)
	}
	return strings.TrimSpace(answer), nil
}

// end lets the second process end.
func (c *demoChild) end() {
	c.tell.Close()
	_ = c.command.Wait()
}

func runDemo(ctx context.Context, t *terminal) error {
	child, err := startDemoChild(ctx)
	if err != nil {
		return err
	}
	defer child.end()
	pid := child.command.Process.Pid
	name := strconv.Itoa(pid)
	if _, err := child.say("fill"); err != nil {
		return err
	}
	heap, err := target.OpenProcess(pid, target.Options{})
	if err != nil {
		return err
	}
	defer heap.Close()
	var d demonstrated
	if d.Before, err = inspect.Check(ctx, heap, inspect.CheckOptions{}); err != nil {
		return err
	}
	if _, err := child.say("overflow"); err != nil {
		return err
	}
	if d.Check, err = inspect.Check(ctx, heap, inspect.CheckOptions{}); err != nil {
		return err
	}
	if d.Check.Healthy() {
		return errors.New("the overflow was not found: please report this")
	}
	block := uint64(d.Check.Findings[0].Address)
	decoded, err := inspect.Open(ctx, heap)
	if err != nil {
		return err
	}
	if d.Whatis, err = decoded.Whatis(block); err != nil {
		return err
	}
	if d.Hexdump, err = decoded.Hexdump(block, 0); err != nil {
		return err
	}
	style := t.style(name)
	return t.answer(d, func(w io.Writer) error {
		return errors.Join(
			story(w, `Process %d is a small Go program that keeps the names of 300 sessions in
off-heap memory: the garbage collector never sees it, and no race detector or
profiler does. It runs while we look. Is anything wrong?`, pid),
			prompt(w, style, "check "+name),
			render.Check(w, d.Before, style),
			story(w, `Nothing is. Now the program makes a mistake that C programmers know well: it
copies a name and a 0 behind it into a block that was made for the name alone.
One byte lands past the end. The program goes on; nothing crashes.`),
			prompt(w, style, "check "+name),
			render.Check(w, d.Check, style),
			story(w, `Every block ends in a seal: one word that holds a hash of the block's address,
how much was asked for, and whether it is live. The bytes before it carry a
pattern. So one byte too many is seen, from outside, and how many bytes the
program had asked for is known. What is that block, and what are its bytes?`),
			prompt(w, style, "whatis "+name+" "+inspect.Address(block).String()),
			render.Whatis(w, d.Whatis, style),
			prompt(w, style, "hexdump "+name+" "+inspect.Address(block).String()),
			render.Hexdump(w, d.Hexdump, style),
			story(w, `That was the demo. Next:
  glassheap math --geometry notes   are my calculations right?
  glassheap replay TRACE            a recorded program, checked while it runs
  glassheap help                    every question you can ask`),
		)
	})
}

func story(w io.Writer, text string, values ...any) error {
	_, err := fmt.Fprintf(w, "\n"+text+"\n", values...)
	return err
}

func prompt(w io.Writer, style render.Style, command string) error {
	return render.Prompt(w, style, "glassheap "+command)
}
