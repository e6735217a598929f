// Package ui shows a chat: on a terminal with a live picture, elsewhere with plain lines.
package ui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// Clean makes text of others safe to show: no control characters that could steer a terminal, no invisible ones that
// could turn a line around.
func Clean(s string) string {
	bad := func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)
	}
	if utf8.ValidString(s) && !strings.ContainsFunc(s, bad) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return ' '
		case bad(r):
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

// Width is the number of columns that text takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// Fit cuts text to a number of columns, with a mark where it was cut.
func Fit(s string, width int) string {
	if Width(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	var cut strings.Builder
	taken := 0
	for state := -1; s != ""; {
		var cluster string
		var columns int
		cluster, s, columns, state = uniseg.FirstGraphemeClusterInString(s, state)
		if taken+columns > width-1 {
			break
		}
		cut.WriteString(cluster)
		taken += columns
	}
	return cut.String() + "…"
}

// Pad fits text and fills it up with spaces.
func Pad(s string, width int) string {
	s = Fit(s, width)
	return s + strings.Repeat(" ", max(width-Width(s), 0))
}

// PadLeft is Pad for numbers.
func PadLeft(s string, width int) string {
	s = Fit(s, width)
	return strings.Repeat(" ", max(width-Width(s), 0)) + s
}

// Wrap breaks text into lines of at most width columns, between words where it can.
func Wrap(s string, width int) []string {
	width = max(width, 1)
	var lines []string
	line, columns := "", 0
	end := func() { lines, line, columns = append(lines, line), "", 0 }
	for _, word := range strings.Fields(s) {
		if columns > 0 {
			if columns+1+Width(word) <= width {
				line, columns = line+" "+word, columns+1+Width(word)
				continue
			}
			end()
		}
		for state := -1; word != ""; {
			var cluster string
			var wide int
			cluster, word, wide, state = uniseg.FirstGraphemeClusterInString(word, state)
			if columns > 0 && columns+wide > width {
				end()
			}
			line, columns = line+cluster, columns+wide
		}
	}
	if line != "" || len(lines) == 0 {
		end()
	}
	return lines
}

// Count writes a number with a comma every three digits.
func Count[N ~int | ~uint64](n N) string {
	digits := fmt.Sprint(n)
	var out strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(digit)
	}
	return out.String()
}

// Bytes writes a size.
func Bytes(n uint64) string {
	switch {
	case n < 10_000:
		return Count(n) + " B"
	case n < 10_000_000:
		return fmt.Sprintf("%s kB", Count((n+500)/1_000))
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// Time writes a duration as a clock shows it.
func Time(d time.Duration) string {
	seconds := int(d / time.Second)
	return fmt.Sprintf("%d:%02d:%02d", seconds/3_600, seconds/60%60, seconds%60)
}

// Percent writes a share, 0 to 1.
func Percent(share float64) string { return fmt.Sprintf("%.4g %%", share*100) }

// Speed writes how much faster than the wall clock time runs.
func Speed(speed float64) string {
	return strconv.FormatFloat(math.Round(speed*10)/10, 'f', -1, 64) + "x"
}

// Plural writes a count with its noun.
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Count(n) + " " + noun + "s"
}
