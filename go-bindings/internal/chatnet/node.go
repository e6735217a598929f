package chatnet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/agenda"
	"github.com/status-im/sds-rs/go-bindings/internal/packetstore"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Scripted is a line that a participant says at a given time.
type Scripted struct {
	At   time.Time
	Text string
}

// Options is what a participant is made from.
type Options struct {
	// Name is what others see. It is the part of Config.ParticipantID before the last "/", if that has one.
	Name    string
	Channel string
	Config  sds.Config
	Clock   *Clock
	Socket  *Socket
	// Peers are the addresses that everything is sent to.
	Peers []netip.AddrPort
	// Store keeps what we sent and received, so that it can be asked for by its hint. Without one, messages have no
	// hints, and what is missing comes by resends and SDS-R only.
	Store *packetstore.Store
	// Fetch asks a store for a packet by its hint, and tells how long the answer takes; nil is no answer. Without it,
	// the other participants are asked.
	Fetch func(hint []byte) (packet []byte, takes time.Duration)
	// FetchGrace is how long a missing message may be just late. Queries without an answer are repeated after about
	// that long, then less and less often.
	FetchGrace time.Duration
	// Script is what the participant says by itself, in the order of time.
	Script []Scripted
	// Announce tells others that we are here, and watches for them.
	Announce bool
	// Observe is told what happens, on the goroutine of the participant.
	Observe func(Event)
	Seed    uint64
}

const (
	// fetchPauseMax is the longest pause between two queries for the same message.
	fetchPauseMax = 20 * time.Second
	// fetchAttempts ends the asking for what nobody seems to have.
	fetchAttempts = 40
	// retryGivenUp is when a message that was given up is tried again: the participants of this chat do not give up.
	retryGivenUp = 30 * time.Second
	// helloInterval is how often we say that we are here, goneAfter when those who stopped saying so are gone.
	helloInterval = 2 * time.Second
	goneAfter     = 7 * time.Second
	// burst is how many datagrams are taken in before anything else gets a turn.
	burst = 64
)

// Node is one participant.
type Node struct {
	options Options
	manager *sds.Manager
	random  *rand.Rand
	say     chan string

	script []Scripted
	// hints are those of messages that wait: they can be set once the message is in the log.
	hints  map[sds.MessageID][]byte
	wanted map[sds.MessageID]*wanted
	// appointments are things of ours to do later: answers that are on their way, queries, retries.
	appointments agenda.Queue[func(now time.Time) error]
	peers        map[string]*peer
	status       sds.ChannelStatus
	counters     Counters
}

// wanted is a message that is known to be missing.
type wanted struct {
	since    time.Time
	hint     []byte
	attempts int
}

type peer struct {
	name  string
	heard time.Time
}

// NewNode opens the participant's manager and channel. Run closes both, and the socket.
func NewNode(options Options) (*Node, error) {
	manager, err := sds.Open(options.Config)
	if err != nil {
		return nil, err
	}
	if err := manager.OpenChannel(options.Channel, sds.ChannelOptions{}, options.Clock.Now()); err != nil {
		return nil, errors.Join(err, manager.Close())
	}
	return &Node{
		options: options, manager: manager, script: options.Script,
		random: rand.New(rand.NewPCG(options.Seed, 0x6e6f6465)),
		say:    make(chan string, 16),
		hints:  make(map[sds.MessageID][]byte), wanted: make(map[sds.MessageID]*wanted), peers: make(map[string]*peer),
	}, nil
}

// Name is what others see of a participant id.
func Name(id sds.ParticipantID) string {
	if at := strings.LastIndexByte(string(id), '/'); at > 0 {
		return string(id)[:at]
	}
	return string(id)
}

// Say has the participant say something soon. It may be called from anywhere while Run runs.
func (n *Node) Say(ctx context.Context, text string) {
	select {
	case n.say <- text:
	case <-ctx.Done():
	}
}

// Close ends a participant that was never run.
func (n *Node) Close() error { return errors.Join(n.manager.Close(), n.options.Socket.Close()) }

// Run is the loop of the participant, until the context ends: that is no error.
func (n *Node) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, n.Close()) }()
	if n.options.Announce {
		if err := n.announce(n.options.Clock.Now()); err != nil {
			return err
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next, err := n.step()
		if err != nil {
			return err
		}
		timer.Reset(n.options.Clock.Sleep(next))
		select {
		case <-ctx.Done():
			return n.leave()
		case <-timer.C:
		case text := <-n.say:
			err = n.publish(text, n.options.Clock.Now())
		case datagram, open := <-n.options.Socket.Received():
			if !open {
				return errSocketClosed
			}
			err = n.takeIn(datagram)
		}
		if err != nil {
			return err
		}
	}
}

var errSocketClosed = errors.New("the socket was closed")

// takeIn takes what came, and what else is there by now.
func (n *Node) takeIn(datagram Received) error {
	for i := 0; ; i++ {
		if err := n.datagram(datagram, n.options.Clock.Now()); err != nil || i == burst {
			return err
		}
		var open bool
		select {
		case datagram, open = <-n.options.Socket.Received():
			if !open {
				return errSocketClosed
			}
		default:
			return nil
		}
	}
}

// step does all that is due, and returns when something will be due again.
func (n *Node) step() (time.Time, error) {
	now := n.options.Clock.Now()
	for len(n.script) > 0 && !n.script[0].At.After(now) {
		text := n.script[0].Text
		n.script = n.script[1:]
		if err := n.publish(text, now); err != nil {
			return now, err
		}
	}
	for {
		do, ok := n.appointments.Pop(now)
		if !ok {
			break
		}
		if err := do(now); err != nil {
			return now, err
		}
	}
	deadline, due, err := n.manager.NextDeadline()
	if err == nil && due && !deadline.After(now) {
		if err = n.manager.Tick(now); err == nil {
			if err = n.drain(now); err == nil {
				deadline, due, err = n.manager.NextDeadline()
			}
		}
	}
	if err != nil {
		return now, err
	}
	if err := n.options.Socket.Flush(now); err != nil {
		return now, err
	}
	if err := n.tellStatus(now); err != nil {
		return now, err
	}
	next := now.Add(time.Minute)
	earlier := func(t time.Time, ok bool) {
		if ok && t.Before(next) {
			next = t
		}
	}
	earlier(deadline, due)
	earlier(n.appointments.Next())
	earlier(n.options.Socket.Next())
	if len(n.script) > 0 {
		earlier(n.script[0].At, true)
	}
	return next, nil
}

func (n *Node) tell(event Event, now time.Time) {
	event.Node, event.At = n.options.Name, now
	n.options.Observe(event)
}

func (n *Node) tellStatus(now time.Time) error {
	status, err := n.manager.ChannelStatus(n.options.Channel)
	if err != nil {
		return err
	}
	if counters := n.options.Socket.Counters(); status != n.status || counters != n.counters {
		n.status, n.counters = status, counters
		n.tell(Event{Kind: Status, Status: status, Counters: counters}, now)
	}
	return nil
}

func (n *Node) broadcast(kind frameKind, body []byte, now time.Time) error {
	frame := encodeFrame(kind, body)
	for _, to := range n.options.Peers {
		if err := n.options.Socket.Send(to, frame, now); err != nil {
			n.tell(Event{Kind: Problem, Text: err.Error()}, now)
			break
		}
	}
	return n.options.Socket.Flush(now)
}

// publish wraps a line and sends it to everybody.
func (n *Node) publish(text string, now time.Time) error {
	wrapped, err := n.manager.WrapOutgoing(n.options.Channel, "", []byte(text), now)
	if errors.Is(err, sds.ErrTooManyUnacknowledged) || errors.Is(err, sds.ErrTooLarge) || errors.Is(err, sds.ErrEmptyContent) {
		n.tell(Event{Kind: Problem, Text: err.Error()}, now)
		return nil
	}
	if err != nil {
		return err
	}
	// The hint follows the packet at once: whoever misses the message asks for exactly these bytes.
	if err := n.setHint(wrapped.MessageID, n.keep(wrapped.Data)); err != nil {
		return err
	}
	history, err := historyOf(wrapped.Data)
	if err != nil {
		return err
	}
	n.tell(Event{
		Kind: Sent, ID: string(wrapped.MessageID), Sender: n.options.Name, Text: text, Timestamp: wrapped.Timestamp,
		History: history,
	}, now)
	if err := n.broadcast(frameMessage, wrapped.Data, now); err != nil {
		return err
	}
	return n.drain(now)
}

// historyOf is what a message names as its causes, read from the bytes that others get.
func historyOf(packet []byte) (ids []string, err error) {
	inspection, err := sds.Inspect(packet)
	if err != nil {
		return nil, fmt.Errorf("our own message: %w", err)
	}
	for _, entry := range inspection.History {
		ids = append(ids, string(entry.MessageID))
	}
	return ids, nil
}

// datagram is what came from the network. Whatever a stranger sends, it is no error of ours.
func (n *Node) datagram(received Received, now time.Time) error {
	kind, body, err := decodeFrame(received.Data)
	if err != nil {
		return nil
	}
	switch kind {
	case frameMessage:
		return n.packet(body, ViaNetwork, now)
	case frameAnswer:
		return n.packet(body, ViaStore, now)
	case frameRepair:
		return n.packet(body, ViaRepair, now)
	case frameAsk:
		if !n.options.Announce || n.options.Store == nil {
			return nil
		}
		if packet := n.options.Store.Get(body); packet != nil {
			// Several may have it: who answers at once, who a moment later, is left to chance.
			n.appointments.Push(now.Add(time.Duration(n.random.Int64N(int64(80*time.Millisecond)))), func(now time.Time) error {
				return n.options.Socket.Send(received.From, encodeFrame(frameAnswer, packet), now)
			})
		}
	case frameHello, frameBye:
		if n.options.Announce {
			return n.presence(kind, body, now)
		}
	}
	return nil
}

// packet is an SDS message, however it came.
func (n *Node) packet(packet []byte, via Via, now time.Time) error {
	message, err := n.manager.UnwrapIncoming(packet, now)
	if err != nil {
		if status := (*sds.Error)(nil); errors.As(err, &status) && refusesBytes(status.Status) {
			return nil
		}
		return err
	}
	if want := n.wanted[message.MessageID]; want != nil {
		delete(n.wanted, message.MessageID)
		n.tell(Event{Kind: Recovered, ID: string(message.MessageID), Via: via, After: now.Sub(want.since)}, now)
	}
	event := Event{
		ID: string(message.MessageID), Sender: Name(message.SenderID), Text: string(message.Content), Timestamp: message.Timestamp,
	}
	switch message.Disposition {
	case sds.DispositionDelivered, sds.DispositionBeforeUs, sds.DispositionLate:
		if err := n.setHint(message.MessageID, n.keep(packet)); err != nil {
			return err
		}
		event.Kind = Delivered
		n.tell(event, now)
	case sds.DispositionWaiting:
		n.hints[message.MessageID] = n.keep(packet)
		event.Kind = Waiting
		n.tell(event, now)
	}
	for _, entry := range message.Unmet {
		n.want(entry, now)
	}
	return n.drain(now)
}

// refusesBytes is true if what came was at fault: traffic of another kind or channel, or broken.
func refusesBytes(status sds.Status) bool {
	switch status {
	case sds.ErrNotSDS, sds.ErrMalformed, sds.ErrUnknownChannel, sds.ErrTooLarge, sds.ErrInvalidID, sds.ErrNotUTF8,
		sds.ErrIDMismatch, sds.ErrInvalidArgument:
		return true
	}
	return false
}

// keep puts a packet into the store, if there is one, and returns its hint.
func (n *Node) keep(packet []byte) (hint []byte) {
	if n.options.Store == nil {
		return nil
	}
	return n.options.Store.Put(packet)
}

func (n *Node) setHint(id sds.MessageID, hint []byte) error {
	if len(hint) == 0 {
		return nil
	}
	err := n.manager.SetRetrievalHint(n.options.Channel, id, hint)
	if errors.Is(err, sds.ErrUnknownMessage) {
		return nil // it is in order, but not in the log: stamped too far ahead, or pushed out again
	}
	return err
}

// drain acts on all that the manager wants done or known.
func (n *Node) drain(now time.Time) error {
	outputs, err := n.manager.Drain()
	if err != nil {
		return err
	}
	for _, output := range outputs {
		if err := n.act(output, now); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) act(output sds.Output, now time.Time) error {
	switch o := output.(type) {
	case sds.Transmit:
		kind := frameMessage
		switch o.Reason {
		case sds.ReasonResend:
			n.tell(Event{Kind: Resent, ID: string(o.MessageID)}, now)
		case sds.ReasonRepairAnswer:
			kind = frameRepair
		}
		return n.broadcast(kind, o.Data, now)
	case sds.Delivered:
		hint := n.hints[o.MessageID]
		delete(n.hints, o.MessageID)
		if err := n.setHint(o.MessageID, hint); err != nil {
			return err
		}
		n.tell(Event{
			Kind: Delivered, ID: string(o.MessageID), Sender: Name(o.SenderID), Text: string(o.Content), Timestamp: o.Timestamp,
		}, now)
	case sds.Missing:
		n.want(o.HistoryEntry, now)
	case sds.RepairRequested:
		n.tell(Event{Kind: Asked, ID: string(o.MessageID)}, now)
	case sds.RepairAnswered:
		n.tell(Event{Kind: Answered, ID: string(o.MessageID)}, now)
	case sds.Lost:
		n.tell(Event{Kind: Lost, ID: string(o.MessageID)}, now)
	case sds.PossiblyAcknowledged:
		n.tell(Event{Kind: PossiblyAcknowledged, ID: string(o.MessageID)}, now)
	case sds.Acknowledged:
		n.tell(Event{Kind: Acknowledged, ID: string(o.MessageID)}, now)
	case sds.Failed:
		n.tell(Event{Kind: Failed, ID: string(o.MessageID)}, now)
		n.retryLater(o.MessageID, now)
	case sds.Unconfirmed:
		n.tell(Event{Kind: Unconfirmed, ID: string(o.MessageID)}, now)
		n.retryLater(o.MessageID, now)
	}
	return nil
}

func (n *Node) retryLater(id sds.MessageID, now time.Time) {
	n.appointments.Push(now.Add(retryGivenUp), func(now time.Time) error {
		err := n.manager.Retry(n.options.Channel, id, now)
		if errors.Is(err, sds.ErrUnknownMessage) || errors.Is(err, sds.ErrBytesGone) {
			return nil
		}
		if err != nil {
			return err
		}
		return n.drain(now)
	})
}

// want notes that a message is missing, and begins to ask for it.
func (n *Node) want(entry sds.HistoryEntry, now time.Time) {
	want := n.wanted[entry.MessageID]
	if want == nil {
		if _, here := n.hints[entry.MessageID]; here {
			return // it is here, and waits itself
		}
		want = &wanted{since: now}
		n.wanted[entry.MessageID] = want
		n.tell(Event{Kind: Missing, ID: string(entry.MessageID), Sender: Name(entry.SenderID)}, now)
	}
	if want.hint == nil && len(entry.RetrievalHint) > 0 {
		want.hint = entry.RetrievalHint
		n.appointments.Push(now.Add(n.options.FetchGrace), func(now time.Time) error { return n.fetch(entry.MessageID, now) })
	}
}

// fetch asks for a missing message, unless it came meanwhile.
func (n *Node) fetch(id sds.MessageID, now time.Time) error {
	want := n.wanted[id]
	if want == nil || want.attempts == fetchAttempts {
		return nil
	}
	pause := min(n.options.FetchGrace*3/2<<min(want.attempts, 10), fetchPauseMax)
	want.attempts++
	n.appointments.Push(now.Add(pause), func(now time.Time) error { return n.fetch(id, now) })
	if n.options.Fetch == nil {
		return n.broadcast(frameAsk, want.hint, now)
	}
	if packet, takes := n.options.Fetch(want.hint); packet != nil {
		n.appointments.Push(now.Add(takes), func(now time.Time) error { return n.packet(packet, ViaStore, now) })
	}
	return nil
}

func (n *Node) hello() []byte {
	return hello{n.options.Channel, n.options.Name, string(n.options.Config.ParticipantID)}.encode()
}

// announce says that we are here, now and then on.
func (n *Node) announce(now time.Time) error {
	for id, peer := range n.peers {
		if now.Sub(peer.heard) > goneAfter {
			if err := n.gone(id, now); err != nil {
				return err
			}
		}
	}
	n.appointments.Push(now.Add(helloInterval), n.announce)
	if err := n.manager.SetOnline(len(n.peers) > 0, now); err != nil {
		return err
	}
	return n.broadcast(frameHello, n.hello(), now)
}

func (n *Node) presence(kind frameKind, body []byte, now time.Time) error {
	who, err := decodeHello(body)
	if err != nil || who.room != n.options.Channel || who.id == string(n.options.Config.ParticipantID) {
		return nil
	}
	known := n.peers[who.id]
	switch {
	case kind == frameBye && known != nil:
		return n.gone(who.id, now)
	case kind == frameBye:
	case known != nil:
		known.heard = now
	default:
		n.peers[who.id] = &peer{name: who.name, heard: now}
		n.tell(Event{Kind: Joined, Sender: who.name, ID: who.id}, now)
		if err := n.manager.SetOnline(true, now); err != nil {
			return err
		}
		return n.broadcast(frameHello, n.hello(), now)
	}
	return nil
}

func (n *Node) gone(id string, now time.Time) error {
	name := n.peers[id].name
	delete(n.peers, id)
	n.tell(Event{Kind: Left, Sender: name, ID: id}, now)
	// Alone, nothing can be confirmed: resends begin when somebody is there.
	return n.manager.SetOnline(len(n.peers) > 0, now)
}

// leave tells our log and says goodbye. What the lossy layer still holds goes with us.
func (n *Node) leave() error {
	log, err := n.log()
	if err != nil {
		return err
	}
	n.tell(Event{Kind: Logged, Log: log}, n.options.Clock.Now())
	if !n.options.Announce {
		return nil
	}
	for _, to := range n.options.Peers {
		if err := n.options.Socket.direct(to, encodeFrame(frameBye, n.hello())); err != nil {
			return fmt.Errorf("saying goodbye: %w", err)
		}
	}
	return nil
}
