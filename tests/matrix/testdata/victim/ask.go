package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/glassheap/glassheap/inspect"
	"github.com/glassheap/glassheap/inspect/target"
)

// ask puts a question to the program's own heap, in the words of the command line, and returns the answer as JSON on a line; or
// why there is none.
func ask(words []string) string {
	answer, err := answerTo(context.Background(), words)
	if err != nil {
		return "no answer: " + err.Error()
	}
	return string(must(json.Marshal(answer)))
}

func answerTo(ctx context.Context, words []string) (any, error) {
	self, err := target.Self(target.Options{})
	if err != nil {
		return nil, err
	}
	defer self.Close()
	if words[0] == "check" {
		return inspect.Check(ctx, self, inspect.CheckOptions{})
	}
	h, err := inspect.Open(ctx, self)
	if err != nil {
		return nil, err
	}
	program, err := inspect.ProgramOf(self, "")
	if err != nil {
		return nil, err
	}
	h.SetProgram(program)
	argument := uint64(0)
	if len(words) > 1 {
		if argument, err = strconv.ParseUint(words[1], 0, 64); err != nil {
			return nil, err
		}
	}
	switch words[0] {
	case "structs":
		return h.Structs(ctx, inspect.StructsOptions{})
	case "math":
		return h.Math(ctx)
	case "stats":
		return h.Stats(ctx)
	case "bins":
		return h.Bins(ctx)
	case "slabs":
		return h.Slabs(-1)
	case "blocks":
		return h.Blocks(argument)
	case "leaks":
		return h.Leaks(ctx, inspect.LeakOptions{Top: 10})
	case "whatis":
		return h.Whatis(argument)
	}
	return nil, errors.New("nobody knows the question " + words[0])
}
