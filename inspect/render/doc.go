// Package render writes the answers of package inspect: as text for people and as JSON for programs. There is one function
// for each answer, and one style for all of them: red where the eye should go, green for live, dim for free; the last line
// says what to do next.
package render
