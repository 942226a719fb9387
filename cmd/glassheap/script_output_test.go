package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func capture(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "capture NAME PATTERN")
	pattern, err := regexp.Compile("(?m)" + args[1])
	ts.Check(err)
	found := pattern.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) < 2 {
		ts.Fatalf("the output does not match %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	arguments(ts, neg, args, 2, "json PATH WANT")
	var value any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	ts.Check(d.Decode(&value))
	if d.More() {
		ts.Fatalf("the output is more than one JSON value")
	}
	for _, step := range strings.Split(args[0], ".") {
		next, err := stepInto(value, step)
		if err != nil {
			ts.Fatalf("%s: %v", args[0], err)
		}
		value = next
	}
	if got := fmt.Sprint(value); got != args[1] {
		ts.Fatalf("%s is %s, not %s", args[0], got, args[1])
	}
}

// stepInto is a part of a JSON value: by its key, by its number, or how many there are.
func stepInto(value any, step string) (any, error) {
	switch v := value.(type) {
	case map[string]any:
		if inner, ok := v[step]; ok {
			return inner, nil
		}
	case []any:
		if step == "length" {
			return len(v), nil
		}
		if i, err := strconv.Atoi(step); err == nil && i < len(v) {
			return v[i], nil
		}
	}
	return nil, fmt.Errorf("there is no %s", step)
}
