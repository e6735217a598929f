// Package transcript reads chat transcripts, text files of lines `speaker: line`, and decides when each line is typed.
package transcript

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"
)

// What a transcript may hold.
const (
	MinSpeakers = 2
	MaxSpeakers = 32
	// MaxText leaves room in a UDP datagram for the largest filter.
	MaxText    = 32 << 10
	MaxSpeaker = 64
)

// Line is what somebody says.
type Line struct {
	Speaker string
	Text    string
}

// Transcript is a conversation.
type Transcript struct {
	Lines []Line
	// Speakers are in the order of their first lines.
	Speakers []string
}

// Parse reads a transcript. Empty lines and lines that begin with # are skipped. Errors begin with name and line number.
func Parse(r io.Reader, name string) (*Transcript, error) {
	var t Transcript
	seen := make(map[string]bool)
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, MaxText+MaxSpeaker+16)
	number := 0
	for scanner.Scan() {
		number++
		raw := strings.TrimSpace(strings.TrimPrefix(scanner.Text(), "\ufeff"))
		if raw == "" || strings.HasPrefix(raw, "#") {
			continue
		}
		line, err := parseLine(raw)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if !seen[line.Speaker] {
			seen[line.Speaker] = true
			t.Speakers = append(t.Speakers, line.Speaker)
		}
		t.Lines = append(t.Lines, line)
	}
	switch err := scanner.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s:%d: the line is longer than %d bytes", name, number+1, MaxText)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(t.Lines) == 0:
		return nil, fmt.Errorf("%s: no lines; expected some of the form \"speaker: line\"", name)
	case len(t.Speakers) < MinSpeakers:
		return nil, fmt.Errorf("%s: only %s speaks; a chat needs at least %d speakers", name, t.Speakers[0], MinSpeakers)
	case len(t.Speakers) > MaxSpeakers:
		return nil, fmt.Errorf("%s: %d speakers; at most %d can take part", name, len(t.Speakers), MaxSpeakers)
	}
	return &t, nil
}

func parseLine(raw string) (Line, error) {
	if !utf8.ValidString(raw) {
		return Line{}, errors.New("not UTF-8 text")
	}
	speaker, text, found := strings.Cut(raw, ":")
	speaker, text = strings.TrimSpace(speaker), strings.TrimSpace(text)
	switch {
	case !found || speaker == "":
		return Line{}, fmt.Errorf("no speaker in %q; expected \"speaker: line\"", shorten(raw))
	case len(speaker) > MaxSpeaker:
		return Line{}, fmt.Errorf("the speaker %q is longer than %d bytes", shorten(speaker), MaxSpeaker)
	case text == "":
		return Line{}, fmt.Errorf("%s says nothing; expected \"speaker: line\"", speaker)
	case len(text) > MaxText:
		return Line{}, fmt.Errorf("the line is longer than %d bytes", MaxText)
	}
	return Line{Speaker: speaker, Text: text}, nil
}

func shorten(s string) string {
	if runes := []rune(s); len(runes) > 40 {
		return string(runes[:40]) + "..."
	}
	return s
}

// Plan says when each line is typed, in virtual time, and how fast virtual time runs.
type Plan struct {
	At    []time.Duration
	Speed float64
}

const (
	// A default run types for about this long by the wall clock, which leaves the rest of a minute to settle.
	wallTarget = 32 * time.Second
	// Beyond this speed the machine's own delays begin to look like those of a network; longer transcripts are typed
	// faster instead.
	maxDefaultSpeed = 40.0
	minDefaultSpeed = 8.0
)

// Schedule plans a transcript: whoever speaks thinks for a moment and types at the speed of a person. With speed 0 it
// picks one so that the run ends within a minute, if need be by making everybody type faster.
func (t *Transcript) Schedule(seed uint64, speed float64) Plan {
	random := rand.New(rand.NewPCG(seed, 0x7479706573)) // its own stream: the pace does not depend on the network
	plan := Plan{At: make([]time.Duration, len(t.Lines)), Speed: speed}
	at := time.Second
	for i, line := range t.Lines {
		think := 600*time.Millisecond + time.Duration(random.ExpFloat64()*float64(1100*time.Millisecond))
		typing := min(time.Duration(utf8.RuneCountInString(line.Text))*45*time.Millisecond, 12*time.Second)
		at += min(think, 8*time.Second) + typing
		plan.At[i] = at
	}
	if speed > 0 {
		return plan
	}
	natural := at.Seconds() / wallTarget.Seconds()
	plan.Speed = min(max(natural, minDefaultSpeed), maxDefaultSpeed)
	if natural > maxDefaultSpeed {
		for i := range plan.At {
			plan.At[i] = time.Duration(float64(plan.At[i]) * maxDefaultSpeed / natural)
		}
	}
	return plan
}
