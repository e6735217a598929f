package ui

import (
	"fmt"
	"strings"

	"github.com/gdamore/tcell/v2"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
)

// ChatInfo is what the chat's screen tells beside the messages.
type ChatInfo struct {
	Room, Name string
	// Others are the names of those who are here.
	Others []string
	Loss   float64
}

// DrawChat draws the whole screen of the chat.
func DrawChat(screen tcell.Screen, s board.Snapshot, info ChatInfo, input *Input) {
	c := newCanvas(screen)
	c.fill(0, heading, " ")
	title := fmt.Sprintf(" %s   you are %s", info.Room, info.Name)
	if info.Loss > 0 {
		title += "   loss " + Percent(info.Loss)
	}
	c.text(0, 0, c.w, heading, title)
	names := 4
	for _, m := range s.Messages {
		names = max(names, min(Width(m.Sender), 16, c.w/5))
	}
	c.chat(1, c.h-2, s.Messages, names, false, func(m board.Message) []mark {
		switch {
		case m.Mine && m.Resends > 0:
			tick, style := c.ticks(m.State)
			return []mark{{tick, 2, style}, {c.resent(m.Resends), 2, yellow}}
		case m.Mine:
			tick, style := c.ticks(m.State)
			return []mark{{tick, 2, style}, {"", 2, plain}}
		case m.Waiting:
			return []mark{{"waits", 5, yellow}}
		}
		return []mark{{"", 5, plain}}
	}, nil)
	state, style := ChatState(s, info.Others)
	c.legend(c.h-2, c.w-Width(state)-3)
	if c.w-Width(state) > 2 {
		c.right(c.w-1, c.h-2, style, " "+Clean(state)+" ")
	}
	const prompt = "> "
	visible, cursor := input.Visible(c.w - len(prompt) - 2)
	c.text(0, c.h-1, len(prompt), green, prompt)
	c.text(len(prompt), c.h-1, c.w, plain, visible)
	screen.ShowCursor(len(prompt)+cursor, c.h-1)
	screen.Show()
}

// ChatState tells in a few words how things are.
func ChatState(s board.Snapshot, others []string) (string, tcell.Style) {
	var parts []string
	style := grey
	me := s.Participants[0]
	if n := len(me.MissingNow); n > 0 {
		parts, style = append(parts, fmt.Sprintf("missing %d, fetching", n)), yellow
	}
	if n := me.Status.Waiting; n > 0 {
		parts, style = append(parts, fmt.Sprintf("waiting %d", n)), yellow
	}
	if n := me.Status.Unacknowledged; n > 0 {
		parts = append(parts, fmt.Sprintf("unacknowledged %d", n))
	}
	if len(others) == 0 {
		parts = append(parts, "nobody else is here")
	} else {
		parts = append(parts, "here: "+Fit(strings.Join(others, ", "), 30))
	}
	return strings.Join(parts, " · "), style
}
