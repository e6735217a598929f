package ui

import (
	"hash/fnv"
	"strconv"

	"github.com/gdamore/tcell/v2"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
)

// The colours are from the part of the palette that can be read on a dark and on a light ground.
var (
	plain   = tcell.StyleDefault
	strong  = plain.Bold(true)
	grey    = plain.Foreground(tcell.PaletteColor(245))
	green   = plain.Foreground(tcell.PaletteColor(35)).Bold(true)
	yellow  = plain.Foreground(tcell.PaletteColor(172))
	red     = plain.Foreground(tcell.PaletteColor(160)).Bold(true)
	heading = plain.Reverse(true)

	speakerColours = []int{33, 170, 37, 166, 99, 136, 67, 131, 63, 103}
)

// speaker gives everybody a colour: the first ones by their place, others by their name.
func speaker(name string, participants []board.Participant) tcell.Style {
	place := -1
	for i, p := range participants {
		if p.Name == name {
			place = i
		}
	}
	if place < 0 {
		hash := fnv.New32a()
		hash.Write([]byte(name))
		place = int(hash.Sum32() % 1_000)
	}
	return strong.Foreground(tcell.PaletteColor(speakerColours[place%len(speakerColours)]))
}

// canvas draws on a screen, or on the part of one between two rows.
type canvas struct {
	screen tcell.Screen
	w, h   int
	// ascii is true if the terminal cannot show ticks and bars.
	ascii bool
}

func newCanvas(screen tcell.Screen) canvas {
	w, h := screen.Size()
	screen.Clear()
	return canvas{screen: screen, w: w, h: h, ascii: !screen.CanDisplay('✓', false) || !screen.CanDisplay('█', false)}
}

// text writes at a place, at most width columns, and returns the column after it.
func (c canvas) text(x, y, width int, style tcell.Style, s string) int {
	width = min(width, c.w-x)
	if y < 0 || y >= c.h || width <= 0 {
		return x
	}
	s = Fit(Clean(s), width)
	c.screen.PutStrStyled(x, y, s, style)
	return x + Width(s)
}

// right writes text that ends before column x.
func (c canvas) right(x, y int, style tcell.Style, s string) int {
	start := x - Width(s)
	if start < 0 {
		return x
	}
	c.text(start, y, Width(s), style, s)
	return start
}

// fill paints a whole row.
func (c canvas) fill(y int, style tcell.Style, mark string) {
	for x := 0; x < c.w && y >= 0 && y < c.h; x++ {
		c.screen.PutStrStyled(x, y, mark, style)
	}
}

func (c canvas) rule(y int) {
	if c.ascii {
		c.fill(y, grey, "-")
	} else {
		c.fill(y, grey, "─")
	}
}

// ticks are what a chat app shows of a message's way.
func (c canvas) ticks(state board.State) (string, tcell.Style) {
	marks := [...]string{"✓", "✓✓", "✓✓", "✗"}
	if c.ascii {
		marks = [...]string{".", "..", "ok", "x"}
	}
	return marks[state], [...]tcell.Style{grey, grey, green, red}[state]
}

func (c canvas) resent(n int) string {
	if c.ascii {
		return "r" + strconv.Itoa(n)
	}
	return "↻" + strconv.Itoa(n)
}

// legend explains the ticks on a rule, as far as they go before column end.
func (c canvas) legend(y, end int) {
	c.rule(y)
	x := 2
	for _, item := range []struct {
		state board.State
		name  string
	}{{board.Sent, "sent"}, {board.PossiblyAcknowledged, "possibly acknowledged"}, {board.Acknowledged, "acknowledged"}} {
		mark, style := c.ticks(item.state)
		if x+Width(mark)+Width(item.name)+4 > end {
			return
		}
		x = c.text(x, y, c.w, style, " "+mark)
		x = c.text(x, y, c.w, grey, " "+item.name+" ") + 1
	}
	if x+12 <= end {
		x = c.text(x, y, c.w, yellow, " "+c.resent(1))
		c.text(x, y, c.w, grey, " resent ")
	}
}

// bar draws progress: what is done everywhere, and what was begun.
func (c canvas) bar(x, y, width int, done, begun float64) {
	for i := range width {
		share := (float64(i) + 0.5) / float64(width)
		mark, style := "░", grey
		if share <= done {
			mark, style = "█", green
		} else if share <= begun {
			mark, style = "▒", grey
		}
		if c.ascii {
			mark = map[string]string{"░": ".", "█": "#", "▒": "-"}[mark]
		}
		c.text(x+i, y, 1, style, mark)
	}
}

// chat draws messages between two rows, the newest at the bottom, if wanted with their numbers.
func (c canvas) chat(top, bottom int, messages []board.Message, nameWidth int, numbered bool,
	marks func(board.Message) []mark, participants []board.Participant) {
	y := bottom
	left := 1
	if numbered && len(messages) > 0 {
		left += len(strconv.Itoa(messages[len(messages)-1].Number)) + 2
	}
	for i := len(messages) - 1; i >= 0 && y > top; i-- {
		m := messages[i]
		if m.Note {
			lines := Wrap(Clean(m.Text), c.w-2)
			y -= len(lines)
			for k, line := range lines {
				if y+k >= top {
					c.text(1, y+k, c.w-2, grey, line)
				}
			}
			continue
		}
		set := marks(m)
		room := c.w - 1 - left
		for _, mark := range set {
			room -= mark.width + 1
		}
		lines := Wrap(Clean(m.Text), min(room-nameWidth-2, 100))
		y -= len(lines)
		style := plain
		if m.Waiting {
			style = grey
		}
		for k, line := range lines {
			if y+k < top {
				continue
			}
			if k == 0 {
				if numbered {
					c.right(left-1, y, grey, strconv.Itoa(m.Number))
				}
				c.text(left, y, nameWidth, speaker(m.Sender, participants), m.Sender)
			}
			c.text(left+nameWidth+1, y+k, room, style, line)
		}
		x := c.w - 1
		for _, mark := range set {
			// The marks belong to the last line, where the eye is after reading.
			if y+len(lines)-1 >= top {
				c.right(x, y+len(lines)-1, mark.style, Fit(mark.text, mark.width))
			}
			x -= mark.width + 1
		}
	}
}

// mark is something at the right edge of a message, in a column of its own.
type mark struct {
	text  string
	width int
	style tcell.Style
}
