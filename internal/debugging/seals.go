package debugging

import "strings"

// HideSeals hides the bytes of seals in a text with dumps.
func HideSeals(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines[:len(lines)-1] {
		lines[i] = hideSeal(lines[i], lines[i+1])
	}
	return strings.Join(lines, "\n")
}

// hideSeal hides the bytes of seals in a line of a dump, which are others in each run: marks, the line below, says which.
func hideSeal(line, marks string) string {
	pairs, characters, ok := strings.Cut(line, "│")
	if !ok || strings.Trim(marks, " -=^") != "" {
		return line
	}
	shown, text := []byte(pairs), []rune(characters)
	first := strings.Index(pairs, " ")
	for i := range text {
		at := first + 3*i + i/8 + 1
		if at+1 < len(marks) && (marks[at] == '=' || marks[at] == '^') {
			shown[at], shown[at+1] = '.', '.'
			text[i] = '·'
		}
	}
	return string(shown) + "│" + string(text)
}
