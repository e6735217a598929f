package transcript

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	got, err := Parse(strings.NewReader("\ufeff# a comment\nada: hello: world\n\n  bo :  hi  \r\nada: again\n"), "f")
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{{"ada", "hello: world"}, {"bo", "hi"}, {"ada", "again"}}
	if !slices.Equal(got.Lines, want) || !slices.Equal(got.Speakers, []string{"ada", "bo"}) {
		t.Fatalf("got %+v", got)
	}
}

func TestParseRefuses(t *testing.T) {
	var crowd strings.Builder
	for i := range MaxSpeakers + 1 {
		fmt.Fprintf(&crowd, "p%d: hi\n", i)
	}
	for name, test := range map[string]struct{ text, problem string }{
		"no colon":     {"ada: hi\n\njust text\n", `f:3: no speaker in "just text"`},
		"no speaker":   {": hi\n", "f:1: no speaker"},
		"no text":      {"ada:\n", "f:1: ada says nothing"},
		"empty":        {"\n# only this\n", "f: no lines"},
		"alone":        {"ada: hi\nada: hello?\n", "only ada speaks"},
		"crowd":        {crowd.String(), "33 speakers; at most 32"},
		"not text":     {"ada: \xff\xfe\n", "f:1: not UTF-8"},
		"long line":    {"ada: hi\nbo: " + strings.Repeat("x", MaxText+200), "f:2: the line is longer"},
		"long speaker": {strings.Repeat("x", 100) + ": hi\n", "f:1: the speaker"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(strings.NewReader(test.text), "f")
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Fatalf("got %v, want %q", err, test.problem)
			}
		})
	}
}

func lines(n int) *Transcript {
	t := &Transcript{Speakers: []string{"ada", "bo"}}
	for i := range n {
		t.Lines = append(t.Lines, Line{t.Speakers[i%2], "some words that take a while to type"})
	}
	return t
}

func TestScheduleFitsAMinuteWhateverTheLength(t *testing.T) {
	for _, n := range []int{2, 30, 220, 2_000, 50_000} {
		plan := lines(n).Schedule(1, 0)
		wall := time.Duration(float64(plan.At[n-1]) / plan.Speed)
		if wall > 35*time.Second || plan.Speed > maxDefaultSpeed || plan.Speed < minDefaultSpeed {
			t.Errorf("%d lines: %v at speed %v", n, wall, plan.Speed)
		}
		if !slices.IsSorted(plan.At) {
			t.Errorf("%d lines: out of order", n)
		}
	}
}

func TestScheduleRepeats(t *testing.T) {
	a, b, c := lines(50).Schedule(1, 100), lines(50).Schedule(1, 100), lines(50).Schedule(2, 100)
	if !slices.Equal(a.At, b.At) || slices.Equal(a.At, c.At) || a.Speed != 100 {
		t.Fatal("a schedule follows from its seed, and a speed that is given stays")
	}
}
