package interop

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// ours is a participant on our engine.
type ours struct {
	*sds.Manager
	t        testing.TB
	net      *network
	name     string
	outbox   []packet
	outputs  []sds.Output      // all but what was transmitted
	contents map[string]string // id to content, of all that its user saw
	acks     map[string]int
	sent     map[string]bool
}

// ours opens a manager and a channel on the network.
func (n *network) ours(name string, changes ...func(*sds.Config)) *ours {
	n.t.Helper()
	return n.oursIn(name, sds.ChannelOptions{}, changes...)
}

func (n *network) oursIn(name string, options sds.ChannelOptions, changes ...func(*sds.Config)) *ours {
	n.t.Helper()
	config := sds.DefaultConfig()
	config.ParticipantID = sds.ParticipantID(name)
	seed := uint64(n.random.Int63())
	config.Seed = &seed
	for _, change := range changes {
		change(&config)
	}
	m, err := sds.Open(config)
	check(n.t, err)
	n.t.Cleanup(func() { check(n.t, m.Close()) })
	check(n.t, m.OpenChannel(room, options, n.now))
	o := &ours{Manager: m, t: n.t, net: n, name: name,
		contents: make(map[string]string), acks: make(map[string]int), sent: make(map[string]bool)}
	n.hosts = append(n.hosts, o)
	return o
}

func (o *ours) called() string { return o.name }
func (o *ours) ours() bool     { return true }

// say makes a message; whether it arrives is the scene's business.
func (o *ours) say(content string) packet { return o.sayAs("", content) }

func (o *ours) sayAs(id sds.MessageID, content string) packet {
	o.t.Helper()
	w, err := o.WrapOutgoing(room, id, []byte(content), o.net.now)
	check(o.t, err)
	p := o.packet("content", w.Data)
	check(o.t, o.SetRetrievalHint(room, w.MessageID, []byte(p.hint())))
	o.show(p.id, content, p.seen.History)
	o.sent[p.id] = true
	o.drain()
	return o.net.publish(p)
}

// whisper makes an ephemeral message.
func (o *ours) whisper(content string) packet {
	o.t.Helper()
	w, err := o.WrapEphemeral(room, "", []byte(content), o.net.now)
	check(o.t, err)
	return o.packet("ephemeral", w.Data)
}

// packet is bytes of ours, ready to go out.
func (o *ours) packet(kind string, data []byte) packet {
	o.t.Helper()
	seen := inspected(o.t, data)
	if seen.Kind != kind {
		o.t.Errorf("%s made a message of kind %s, not %s", o.name, seen.Kind, kind)
	}
	p := packet{kind: kind, id: seen.ID, from: o, data: data, seen: seen}
	if seen.Asks > 0 {
		p.why = "repair request"
	}
	return p
}

// inspected is a message as our engine reads it, in the words of the other side.
func inspected(t testing.TB, data []byte) described {
	t.Helper()
	i, err := sds.Inspect(data)
	check(t, err)
	if i.Profile != sds.ProfileRFC || i.Filter.State == sds.FilterRefused {
		t.Errorf("profile %v, filter %v", i.Profile, i.Filter.State)
	}
	return described{
		Kind:        i.Kind.String(),
		ID:          string(i.MessageID),
		Channel:     i.ChannelID,
		Sender:      string(i.SenderID),
		Timestamp:   i.Timestamp,
		History:     entries(i.History),
		FilterBytes: i.Filter.Bytes,
		Content:     i.Content,
		Asks:        i.RepairRequests,
	}
}

func entries(history []sds.HistoryEntry) []entry {
	list := []entry{}
	for _, e := range history {
		list = append(list, entry{ID: string(e.MessageID), Hint: e.RetrievalHint, Sender: string(e.SenderID)})
	}
	return list
}

// hear takes a packet in.
func (o *ours) hear(p packet) sds.Unwrapped {
	o.t.Helper()
	count(p, o)
	if !p.from.ours() {
		agree(o.t, p.seen, inspected(o.t, p.data))
	}
	u, err := o.UnwrapIncoming(p.data, o.net.now)
	check(o.t, err)
	switch u.Disposition {
	case sds.DispositionBeforeUs:
		o.show(p.id, string(u.Content), nil)
	case sds.DispositionDelivered, sds.DispositionLate:
		o.show(p.id, string(u.Content), p.seen.History)
	}
	if p.kind == "content" {
		// Who names it next may be the only one that a third hears of it.
		check(o.t, o.SetRetrievalHint(room, u.MessageID, []byte(p.hint())))
	}
	o.drain()
	return u
}

// show is the user's screen: nothing twice, and nothing before what it depends on.
func (o *ours) show(id, content string, history []entry) {
	o.t.Helper()
	if _, twice := o.contents[id]; twice {
		o.t.Errorf("%s shows %s twice", o.name, id)
	}
	for _, e := range history {
		if _, here := o.contents[e.ID]; !here && !o.gaveUp(e.ID) {
			o.t.Errorf("%s shows %s before %s, on which it depends", o.name, id, e.ID)
		}
	}
	o.contents[id] = content
}

// gaveUp is true if nobody waits for the message any longer.
func (o *ours) gaveUp(id string) bool {
	return slices.ContainsFunc(o.outputs, func(output sds.Output) bool {
		switch output := output.(type) {
		case sds.Lost:
			return string(output.MessageID) == id
		case sds.BeforeUs:
			return string(output.MessageID) == id
		}
		return false
	})
}

// drain does what the outputs ask for.
func (o *ours) drain() {
	o.t.Helper()
	outputs, err := o.Drain()
	check(o.t, err)
	for _, output := range outputs {
		switch output := output.(type) {
		case sds.Transmit:
			o.transmit(output)
			continue
		case sds.Delivered:
			id := string(output.MessageID)
			o.show(id, string(output.Content), o.net.said[id].seen.History)
		case sds.Missing:
			tallyGap(o)
			if o.net.storeOpen {
				o.net.fetch(o, output.RetrievalHint)
			}
		case sds.Acknowledged:
			o.acks[string(output.MessageID)]++
			tallyAck(o)
		case sds.Failed, sds.Unconfirmed:
			o.t.Errorf("%s: %#v", o.name, output)
		}
		o.outputs = append(o.outputs, output)
	}
}

// transmit has something go out that nobody said just now.
func (o *ours) transmit(transmit sds.Transmit) {
	kind := "content"
	if transmit.Reason == sds.ReasonSync || transmit.Reason == sds.ReasonRepairRequest {
		kind = "sync"
	}
	p := o.packet(kind, transmit.Data)
	if transmit.Reason != sds.ReasonSync {
		p.why = transmit.Reason.String()
	}
	o.outbox = append(o.outbox, p)
}

// about picks the outputs of one kind.
func about[T sds.Output](o *ours) []T {
	var picked []T
	for _, output := range o.outputs {
		if output, ok := output.(T); ok {
			picked = append(picked, output)
		}
	}
	return picked
}

// due ticks at every deadline until something goes out for the reason given, and returns it.
func (o *ours) due(reason string, kind string) packet {
	o.t.Helper()
	for range 1000 {
		for _, p := range o.emptied() {
			if p.why == reason && p.kind == kind {
				return p
			}
		}
		at, ok := o.next()
		if !ok {
			break
		}
		o.net.advance(at)
		o.tick()
	}
	o.t.Fatalf("%s never sends a %s, %q", o.name, kind, reason)
	return packet{}
}

func (o *ours) talk(content string) packet { return o.say(content) }
func (o *ours) take(p packet)              { o.hear(p) }

func (o *ours) next() (time.Time, bool) {
	at, ok, err := o.NextDeadline()
	check(o.t, err)
	return at, ok
}

func (o *ours) tick() {
	check(o.t, o.Tick(o.net.now))
	o.drain()
}

func (o *ours) emptied() []packet {
	packets := o.outbox
	o.outbox = nil
	return packets
}

// dumped is what the scenes need of sds.Manager.DumpChannel.
type dumped struct {
	Log [][2]any `json:"log_latest_first"`
	// What it will ask for, and what it will answer.
	Requests []dumpedRepair `json:"repair_requests"`
	Answers  []dumpedRepair `json:"repair_answers"`
}

type dumpedRepair struct {
	ID    string `json:"message_id"`
	DueMs int64  `json:"due_ms"`
}

func (o *ours) dump() dumped {
	text, err := o.DumpChannel(room)
	check(o.t, err)
	var d dumped
	check(o.t, json.Unmarshal(text, &d))
	return d
}

func (o *ours) log() []logged {
	var log []logged
	for _, m := range o.dump().Log {
		id := m[1].(string)
		log = append(log, logged{ID: id, Timestamp: uint64(m[0].(float64)), Content: []byte(o.contents[id])})
	}
	slices.Reverse(log)
	return log
}

func (o *ours) unconfirmed() []string {
	var ids []string
	for id := range o.sent {
		if o.acks[id] == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

func (o *ours) state(id string) sds.MessageStatus {
	o.t.Helper()
	status, err := o.MessageStatus(room, sds.MessageID(id))
	check(o.t, err)
	return status
}

func (o *ours) status() sds.ChannelStatus {
	o.t.Helper()
	status, err := o.ChannelStatus(room)
	check(o.t, err)
	return status
}

func (o *ours) confirmed() map[string]int { return o.acks }

func (o *ours) missed() (missing, lost int) {
	status := o.status()
	return int(status.Missing), int(status.Lost)
}
