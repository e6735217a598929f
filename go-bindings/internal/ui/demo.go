package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
)

// DemoInfo is what the top of the demo's screen tells.
type DemoInfo struct {
	// Profile, Config and Store are in words.
	Profile, Config, Store string
	Loss                   float64
	Speed                  float64
	Start                  time.Time
}

// DrawDemo draws the whole screen of the demo.
func DrawDemo(screen tcell.Screen, s board.Snapshot, info DemoInfo) {
	c := newCanvas(screen)
	if c.w < 20 || c.h < 5 {
		c.text(0, 0, c.w, plain, fmt.Sprintf("%d of %d", s.Everywhere, s.Total))
		screen.Show()
		return
	}
	c.title(s, info)
	rows := min(len(s.Participants), max((c.h-5)/2, 0))
	if c.h < 12 {
		rows = 0
	}
	table := c.h - 1 // where the table begins; the last row is the bar's
	if rows > 0 {
		table -= rows + 2 // its head, and a rule below it
		c.table(table, rows, s)
		c.rule(c.h - 2)
	}
	c.legend(table-1, c.w)
	c.messages(1, table-1, s)
	c.progress(c.h-1, s)
	screen.Show()
}

// title tells what fits.
func (c canvas) title(s board.Snapshot, info DemoInfo) {
	c.fill(0, heading, " ")
	clock := Time(s.Now.Sub(info.Start)) + " "
	x := c.text(0, 0, c.w, heading.Bold(true), " sds-demo")
	for _, part := range []string{
		Plural(len(s.Participants), "participant"), "loss " + Percent(info.Loss), "speed " + Speed(info.Speed),
		info.Config, info.Store, "profile " + info.Profile,
	} {
		if x+3+Width(part)+2+Width(clock) > c.w {
			break
		}
		x = c.text(x, 0, c.w, heading, "   "+part)
	}
	c.right(c.w, 0, heading.Bold(true), clock)
}

func (c canvas) messages(top, bottom int, s board.Snapshot) {
	names := 4
	for _, p := range s.Participants {
		names = max(names, min(Width(p.Name), c.w/6))
	}
	c.chat(top, bottom, s.Messages, names, c.w >= 90, func(m board.Message) []mark {
		tick, style := c.ticks(m.State)
		set := []mark{{tick, 2, style}}
		if c.w >= 50 {
			resent := ""
			if m.Resends > 0 {
				resent = c.resent(m.Resends)
			}
			set = append(set, mark{resent, 2, yellow})
		}
		switch n := len(m.MissingAt); {
		case c.w >= 100:
			lacking := ""
			if n > 0 {
				lacking = "missed by " + strings.Join(m.MissingAt, ", ")
			}
			if Width(lacking) > 22 && n > 1 {
				lacking = fmt.Sprintf("missed by %s +%d", m.MissingAt[0], n-1)
			}
			set = append(set, mark{Clean(lacking), 22, yellow})
		case c.w >= 60:
			lacking := ""
			if n > 0 {
				lacking = fmt.Sprintf("missed %d", n)
			}
			set = append(set, mark{lacking, 9, yellow})
		}
		return set
	}, s.Participants)
}

// table draws a row per participant. Where columns are few, those to the right go first.
func (c canvas) table(top, rows int, s board.Snapshot) {
	type column struct {
		name string
		text func(board.Participant) (string, tcell.Style)
	}
	count := func(n int, style tcell.Style) (string, tcell.Style) {
		if n == 0 {
			return "·", grey
		}
		return Count(n), style
	}
	columns := []column{
		{"in order", func(p board.Participant) (string, tcell.Style) {
			return fmt.Sprintf("%d/%d", p.InOrder, s.Total), plain
		}},
		{"missing", func(p board.Participant) (string, tcell.Style) { return count(len(p.MissingNow), yellow) }},
		{"waiting", func(p board.Participant) (string, tcell.Style) { return count(int(p.Status.Waiting), yellow) }},
		{"unacked", func(p board.Participant) (string, tcell.Style) { return count(int(p.Status.Unacknowledged), plain) }},
		{"resent", func(p board.Participant) (string, tcell.Style) { return count(p.Resent, plain) }},
		{"recovered", func(p board.Participant) (string, tcell.Style) { return count(p.Recovered, plain) }},
		{"asked", func(p board.Participant) (string, tcell.Style) { return count(p.Asked, plain) }},
		{"answered", func(p board.Participant) (string, tcell.Style) { return count(p.Answered, plain) }},
		{"packets", func(p board.Participant) (string, tcell.Style) { return count(int(p.Counters.Packets), plain) }},
		{"dropped", func(p board.Participant) (string, tcell.Style) { return count(int(p.Counters.Dropped), plain) }},
	}
	const width = 9
	names := len("participant")
	names = min(names, c.w/4)
	fit := min(len(columns), (c.w-names-2)/(width+1))
	columns = columns[:max(fit, 0)]
	x := 1
	c.text(x, top, names, grey, "participant")
	for i, column := range columns {
		c.right(names+1+(i+1)*(width+1), top, grey, column.name)
	}
	end := names + 3 + len(columns)*(width+1)
	if c.w-end > 12 {
		c.text(end, top, c.w-end, grey, "is missing")
	}
	for k := range rows {
		p := s.Participants[k]
		y := top + 1 + k
		if k == rows-1 && rows < len(s.Participants) {
			c.text(1, y, c.w-2, grey, fmt.Sprintf("and %s more", Plural(len(s.Participants)-k, "participant")))
			return
		}
		c.text(1, y, names, speaker(p.Name, s.Participants), p.Name)
		for i, column := range columns {
			text, style := column.text(p)
			c.right(names+1+(i+1)*(width+1), y, style, text)
		}
		if c.w-end > 12 {
			c.text(end, y, c.w-end-1, yellow, numbers(p.MissingNow))
		}
	}
}

func numbers(missing []int) string {
	var list []string
	for _, n := range missing {
		list = append(list, "#"+strconv.Itoa(n))
	}
	return strings.Join(list, " ")
}

func (c canvas) progress(y int, s board.Snapshot) {
	share := func(n int) float64 { return float64(n) / float64(max(s.Total, 1)) }
	label := fmt.Sprintf(" %3.0f %%  %d of %d everywhere", 100*share(s.Everywhere), s.Everywhere, s.Total)
	if c.w >= 90 {
		label += fmt.Sprintf("   %s packets dropped", Count(s.Dropped))
	}
	label = Fit(label, c.w-12)
	width := c.w - Width(label) - 2
	c.bar(1, y, width, share(s.Everywhere), share(s.Sent))
	c.text(1+width, y, c.w, plain, label)
}
