package ui

import (
	"strings"
	"unicode"

	"github.com/gdamore/tcell/v2"
)

// maxInput is the most that can be typed on one line.
const maxInput = 2_000

// Input is a line that is being typed.
type Input struct {
	text    []rune
	cursor  int
	history []string
	back    int
}

// Key takes a key; it returns a line when the key ended one.
func (in *Input) Key(key *tcell.EventKey) (line string, entered bool) {
	switch key.Key() {
	case tcell.KeyEnter:
		line = strings.TrimSpace(string(in.text))
		in.set("")
		in.back = 0
		if line != "" {
			in.history = append(in.history, line)
		}
		return line, line != ""
	case tcell.KeyRune:
		if len(in.text) < maxInput && unicode.IsPrint(key.Rune()) && key.Modifiers()&tcell.ModAlt == 0 {
			in.text = append(in.text[:in.cursor], append([]rune{key.Rune()}, in.text[in.cursor:]...)...)
			in.cursor++
		}
	case tcell.KeyBackspace, tcell.KeyBackspace2:
		in.cut(in.cursor-1, in.cursor)
	case tcell.KeyDelete:
		in.cut(in.cursor, in.cursor+1)
	case tcell.KeyLeft, tcell.KeyCtrlB:
		in.cursor = max(in.cursor-1, 0)
	case tcell.KeyRight, tcell.KeyCtrlF:
		in.cursor = min(in.cursor+1, len(in.text))
	case tcell.KeyHome, tcell.KeyCtrlA:
		in.cursor = 0
	case tcell.KeyEnd, tcell.KeyCtrlE:
		in.cursor = len(in.text)
	case tcell.KeyCtrlU:
		in.cut(0, in.cursor)
	case tcell.KeyCtrlK:
		in.cut(in.cursor, len(in.text))
	case tcell.KeyCtrlW:
		start := in.cursor
		for start > 0 && in.text[start-1] == ' ' {
			start--
		}
		for start > 0 && in.text[start-1] != ' ' {
			start--
		}
		in.cut(start, in.cursor)
	case tcell.KeyUp:
		in.recall(in.back + 1)
	case tcell.KeyDown:
		in.recall(in.back - 1)
	}
	return "", false
}

func (in *Input) recall(back int) {
	if back < 0 || back > len(in.history) {
		return
	}
	in.back = back
	if back == 0 {
		in.set("")
	} else {
		in.set(in.history[len(in.history)-back])
	}
}

func (in *Input) set(s string) {
	in.text = []rune(s)
	in.cursor = len(in.text)
}

func (in *Input) cut(from, to int) {
	if from < 0 || to > len(in.text) {
		return
	}
	in.text = append(in.text[:from], in.text[to:]...)
	in.cursor = from
}

// Visible is the part of the line that fits into width columns, and where the cursor is in it.
func (in *Input) Visible(width int) (text string, cursor int) {
	start := 0
	for start < in.cursor && Width(string(in.text[start:in.cursor])) >= width {
		start++
	}
	end := len(in.text)
	for end > in.cursor && Width(string(in.text[start:end])) > width {
		end--
	}
	return string(in.text[start:end]), Width(string(in.text[start:in.cursor]))
}
