// Package board keeps what there is to show of a chat: it is told every event and asked for snapshots.
package board

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/internal/chatnet"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// State is how far a message got, as its ticks show it.
type State int

const (
	// Sent: one tick.
	Sent State = iota
	// PossiblyAcknowledged: two grey ticks.
	PossiblyAcknowledged
	// Acknowledged: two green ticks.
	Acknowledged
	// GivenUp: resent as often as configured.
	GivenUp
)

// String names the state.
func (s State) String() string {
	return [...]string{"sent", "possibly acknowledged", "acknowledged", "given up"}[s]
}

// Message is one line of the chat.
type Message struct {
	chatlog.Entry
	// Number counts messages in the order in which the board heard of them.
	Number int
	At     time.Time
	State  State
	// Resends counts how often its sender sent it again.
	Resends int
	// Have is how many participants other than its sender have it in order.
	Have int
	// MissingAt are those who know that they miss it.
	MissingAt []string
	// Waiting is true if it came before what it depends on. Only in a chat of one's own.
	Waiting bool
	// Mine is true if it was sent by a participant of this board.
	Mine bool
	// Note is true for a remark of the program.
	Note bool
}

// Participant is one row of the table.
type Participant struct {
	Name string
	// InOrder is how many messages are in its log, its own included.
	InOrder int
	// MissingNow are the numbers of the messages that it knows to miss; 0 stands for one that the board does not know.
	MissingNow []int
	// Sent, Acknowledged, GivenUp and Resent count its own messages.
	Sent, Acknowledged, GivenUp, Resent int
	// Missed counts messages noticed missing, Recovered those of them that came, ByStore those that a store gave,
	// ByRepair those that a member broadcast because one asked for them (SDS-R).
	Missed, Recovered, ByStore, ByRepair, Lost int
	// Asked counts requests to the other members for a missing message, repeated ones included, Answered the answers to
	// those of others.
	Asked, Answered int
	Status          sds.ChannelStatus
	Counters        chatnet.Counters
}

// Board is safe for concurrent use.
type Board struct {
	mu                       sync.Mutex
	total                    int
	now                      time.Time
	participants             []*participant
	messages                 []*Message // in the order of the log
	byID                     map[string]*Message
	histories                map[string][]string
	everywhere, acknowledged int
	done                     chan struct{}
	finished                 bool
}

type participant struct {
	Participant
	missing map[string]bool
	// have is what it was shown, as it was shown it; shown is in which order, and engine how its engine keeps it.
	have    map[string]chatlog.Entry
	shown   []string
	engine  []chatnet.Logline
	givenUp map[string]bool
}

// New makes a board for participants who will send total messages among them; 0 if that is not known.
func New(names []string, total int) *Board {
	b := &Board{total: total, byID: make(map[string]*Message), histories: make(map[string][]string), done: make(chan struct{})}
	for _, name := range names {
		b.participants = append(b.participants, &participant{
			Participant: Participant{Name: name}, missing: make(map[string]bool),
			have: make(map[string]chatlog.Entry), givenUp: make(map[string]bool),
		})
	}
	return b
}

// Done is closed when all messages are in order everywhere and acknowledged, and nothing is missing.
func (b *Board) Done() <-chan struct{} { return b.done }

// Apply notes an event, and returns a copy of the message that it concerns, if the board knows it.
func (b *Board) Apply(e chatnet.Event) (Message, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.At.After(b.now) {
		b.now = e.At
	}
	p := b.participant(e.Node)
	if p == nil {
		return Message{}, false
	}
	m := b.byID[e.ID]
	switch e.Kind {
	case chatnet.Sent, chatnet.Waiting, chatnet.Delivered:
		m = b.message(e)
		if e.Kind == chatnet.Sent {
			b.histories[e.ID] = e.History
		}
		b.inOrder(p, m, e)
	case chatnet.PossiblyAcknowledged:
		b.advance(m, PossiblyAcknowledged)
	case chatnet.Acknowledged:
		p.Acknowledged++
		b.acknowledged++
		b.advance(m, Acknowledged)
	case chatnet.Failed, chatnet.Unconfirmed:
		p.GivenUp++
		b.advance(m, GivenUp)
	case chatnet.Resent:
		p.Resent++
		if m != nil {
			m.Resends++
			if m.State == GivenUp {
				m.State = Sent
			}
		}
	case chatnet.Missing:
		p.Missed++
		p.missing[e.ID] = true
		if m != nil {
			m.MissingAt = append(m.MissingAt, e.Node)
		}
	case chatnet.Recovered:
		p.Recovered++
		switch e.Via {
		case chatnet.ViaStore:
			p.ByStore++
		case chatnet.ViaRepair:
			p.ByRepair++
		}
		delete(p.missing, e.ID)
		if m != nil {
			m.MissingAt = slices.DeleteFunc(m.MissingAt, func(name string) bool { return name == e.Node })
		}
	case chatnet.Asked:
		p.Asked++
	case chatnet.Answered:
		p.Answered++
	case chatnet.Lost:
		p.Lost++
		p.givenUp[e.ID] = true
	case chatnet.Logged:
		p.engine = e.Log
	case chatnet.Status:
		p.Status, p.Counters = e.Status, e.Counters
	case chatnet.Joined, chatnet.Left, chatnet.Problem:
		return Message{}, false
	}
	b.checkDone()
	if m == nil {
		return Message{}, false
	}
	return copyOf(m), true
}

func copyOf(m *Message) Message {
	c := *m
	c.MissingAt = slices.Clone(m.MissingAt)
	return c
}

func (b *Board) participant(name string) *participant {
	for _, p := range b.participants {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// message finds or makes the message of an event, in the order of the log.
func (b *Board) message(e chatnet.Event) *Message {
	if m := b.byID[e.ID]; m != nil {
		return m
	}
	m := &Message{
		Entry:  chatlog.Entry{Timestamp: e.Timestamp, ID: e.ID, Sender: e.Sender, Text: e.Text},
		Number: len(b.byID) + 1, At: e.At, Mine: e.Kind == chatnet.Sent,
	}
	b.byID[e.ID] = m
	b.insert(m)
	return m
}

func (b *Board) insert(m *Message) {
	at, _ := slices.BinarySearchFunc(b.messages, m, func(a, b *Message) int {
		switch {
		case a.Timestamp != b.Timestamp:
			if a.Timestamp < b.Timestamp {
				return -1
			}
			return 1
		case a.Note != b.Note: // remarks stand after what was there when they were made
			if b.Note {
				return -1
			}
			return 1
		case a.Note:
			return a.Number - b.Number
		}
		return strings.Compare(a.ID, b.ID)
	})
	b.messages = slices.Insert(b.messages, at, m)
}

func (b *Board) inOrder(p *participant, m *Message, e chatnet.Event) {
	if e.Kind == chatnet.Waiting {
		m.Waiting = len(b.participants) == 1
		return
	}
	m.Waiting = false
	// All are kept, for the checks; what is shown twice counts once.
	p.shown = append(p.shown, m.ID)
	if _, known := p.have[m.ID]; known {
		return
	}
	p.have[m.ID] = chatlog.Entry{Timestamp: e.Timestamp, ID: e.ID, Sender: e.Sender, Text: e.Text}
	p.InOrder++
	if e.Kind == chatnet.Sent {
		p.Sent++
	} else {
		m.Have++
	}
	if m.Have == len(b.participants)-1 {
		b.everywhere++
	}
}

func (b *Board) advance(m *Message, state State) {
	if m != nil && m.State != Acknowledged {
		m.State = state
	}
}

// checkDone is cheap: it runs with every event.
func (b *Board) checkDone() {
	if b.finished || b.total == 0 || b.everywhere < b.total || b.acknowledged < b.total {
		return
	}
	for _, p := range b.participants {
		if len(p.missing) > 0 || p.Status.Missing > 0 || p.Status.Waiting > 0 || p.Status.Unacknowledged > 0 {
			return
		}
	}
	b.finished = true
	close(b.done)
}

// Remark adds a line of the program itself below what is there now.
func (b *Board) Remark(at time.Time, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	note := &Message{Entry: chatlog.Entry{Text: text}, Number: len(b.messages), At: at, Note: true}
	if len(b.messages) > 0 {
		note.Timestamp = b.messages[len(b.messages)-1].Timestamp
	}
	b.insert(note)
}

// Snapshot is what there is to show at one moment.
type Snapshot struct {
	Now time.Time
	// Total is how many messages there will be, Sent how many there are, Everywhere how many of them everybody has.
	Total, Sent, Everywhere, Acknowledged int
	// Arrived counts messages in order over all participants.
	Arrived      int
	Dropped      uint64
	Participants []Participant
	// Messages are the last ones, in the order of the log.
	Messages []Message
}

// Snapshot copies the last messages and all participants.
func (b *Board) Snapshot(last int) Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := Snapshot{Now: b.now, Total: b.total, Sent: len(b.byID), Everywhere: b.everywhere, Acknowledged: b.acknowledged}
	for _, p := range b.participants {
		row := p.Participant
		row.MissingNow = nil
		for id := range p.missing {
			number := 0
			if m := b.byID[id]; m != nil {
				number = m.Number
			}
			row.MissingNow = append(row.MissingNow, number)
		}
		slices.Sort(row.MissingNow)
		s.Participants = append(s.Participants, row)
		s.Arrived += p.InOrder
		s.Dropped += p.Counters.Dropped
	}
	for _, m := range b.messages[max(0, len(b.messages)-last):] {
		s.Messages = append(s.Messages, copyOf(m))
	}
	return s
}

// Logs returns what all participants have, once each of them told the log of its engine.
func (b *Board) Logs() []chatlog.Log {
	b.mu.Lock()
	defer b.mu.Unlock()
	var logs []chatlog.Log
	for _, p := range b.participants {
		log := chatlog.Log{Name: p.Name, Shown: slices.Clone(p.shown), GivenUp: maps.Clone(p.givenUp)}
		for _, line := range p.engine {
			shown := p.have[line.ID]
			log.Entries = append(log.Entries, chatlog.Entry{
				Timestamp: line.Timestamp, ID: line.ID, Sender: shown.Sender, Text: shown.Text,
			})
		}
		logs = append(logs, log)
	}
	return logs
}

// Histories returns what each message names as its causes, by its id.
func (b *Board) Histories() map[string][]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.histories)
}
