package mtrace

// Report is how a recording read so far.
type Report struct {
	Lines     int         // lines read, whatever they said
	Events    int         // events that Next gave
	Malformed int         // lines that made no sense and were passed over
	First     []Malformed // the first few of them
	Torn      bool        // the recording stops in the middle of an event: the program was killed while it wrote
}

// Malformed is a line that made no sense.
type Malformed struct {
	Line   int    // its number, from 1
	Text   string // its beginning; arbitrary bytes, so quote it
	Reason string // what is wrong with it, in a sentence
}

const (
	mostSamples     = 5
	mostSampleBytes = 80
)

// complain counts a malformed line and keeps it when it is among the first.
func (r *Report) complain(line int, text []byte, reason string) {
	r.Malformed++
	if len(r.First) < mostSamples {
		r.First = append(r.First, Malformed{Line: line, Text: string(text[:min(len(text), mostSampleBytes)]), Reason: reason})
	}
}
