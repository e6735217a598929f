package reliable

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

const (
	// storePause is the pause before a store that failed is tried again.
	storePause = time.Second
	// overduePause keeps the loop from spinning, should a deadline of the engine stay due after a tick.
	overduePause = 50 * time.Millisecond
	// maxTicks bounds the ticks in a row of an engine whose outputs filled up.
	maxTicks = 16
)

// core is all of a client that has no goroutine, no socket and no clock: what happened goes in with the time, what is to be
// published and fetched comes out of nextPublish and nextFetch, and what is to be told lies in the queues of the channels. Who
// calls it holds the client's lock.
type core struct {
	config  Config
	manager *sds.Manager
	// records are those that the host gave, by channel, until the channel is opened.
	records map[string][]sds.StoredRecord
	log     *zap.Logger
	random  *rand.Rand

	channels map[string]*channelState
	// order is that in which the channels were opened, so that equal steps have equal effects.
	order []*channelState
	// topics counts the channels of each topic.
	topics map[string]int

	publishing publishQueue
	fetching   fetchQueue
	staged     []stagedEvent
	stats      Stats

	online, paused bool
	// tickAfter is the pause after a tick that did not help, storeAfter that after a commit or store that failed.
	tickAfter, storeAfter        time.Time
	commitTrouble, storeTrouble  trouble
	publishTrouble, fetchTrouble trouble
}

// channelState is one channel.
type channelState struct {
	id, topic string
	options   ChannelOptions
	events    eventQueue
	closed    bool
	// sealFailures counts encryptions that failed in a row; until sealAfter there is a pause, in this channel alone.
	sealFailures int
	sealAfter    time.Time
	// subscribeTrouble is on while the node refuses the subscription.
	subscribeTrouble trouble
	// dirty is true if the status may have changed; told is what was told last.
	dirty bool
	told  SyncStatus

	// waiting are messages that are here and wait for others.
	waiting    map[sds.MessageID]bool
	wanted     map[sds.MessageID]*want
	pruneAfter time.Time
	parts      map[sds.MessageID]*part
	requests   map[RequestID]*request
	// failed are requests that were given up, oldest first.
	failed   []RequestID
	segments *reassembly
	// held is what the engine had no room for.
	held   []heldBytes
	replay *replay
}

type stagedEvent struct {
	channel *channelState
	event   Event
}

// trouble is something that goes wrong until it goes well again.
type trouble struct{ on bool }

func newCore(config Config, manager *sds.Manager, seed uint64) *core {
	log := config.Logger
	if log == nil {
		log = zap.NewNop()
	}
	records := make(map[string][]sds.StoredRecord)
	if config.External != nil {
		for _, r := range config.External.Records {
			records[r.ChannelID] = append(records[r.ChannelID], r)
		}
		config.External = &External{Commit: config.External.Commit}
	}
	return &core{
		config: config, manager: manager, records: records, log: log, random: rand.New(rand.NewPCG(seed, 0x72656c)), online: true,
		channels: make(map[string]*channelState), topics: make(map[string]int),
		publishing: publishQueue{byKey: make(map[publicationKey]*publication)},
	}
}

// active tells whether anything may go out.
func (c *core) active() bool { return c.online && !c.paused }

// room tells whether more may be taken in for a channel: whether the application reads, and the engine takes it.
func (c *core) room(ch *channelState) bool {
	return ch.events.room() && len(ch.held) == 0 && ch.replay == nil && len(c.staged) == 0
}

// openChannel opens a channel, with the state that it had.
func (c *core) openChannel(id, topic string, options ChannelOptions, now time.Time) (*channelState, error) {
	if c.channels[id] != nil {
		return nil, ErrChannelOpen
	}
	if err := c.manager.OpenChannel(id, options.SDS, now); err != nil {
		return nil, err
	}
	ch := &channelState{
		id: id, topic: topic, options: options,
		events:  eventQueue{limit: options.EventLimit, byteLimit: options.EventBytes},
		waiting: make(map[sds.MessageID]bool), wanted: make(map[sds.MessageID]*want),
		parts: make(map[sds.MessageID]*part), requests: make(map[RequestID]*request), dirty: true,
	}
	if options.Segmentation != nil {
		ch.segments = newReassembly(options.Segmentation)
	}
	missing, err := c.manager.Missing(id)
	if err == nil {
		err = c.restore(ch, now)
	}
	if err != nil {
		return nil, errors.Join(err, c.manager.CloseChannel(id))
	}
	c.channels[id] = ch
	c.order = append(c.order, ch)
	c.topics[topic]++
	for _, entry := range missing {
		c.want(ch, entry, now)
	}
	c.settle(now)
	return ch, nil
}

// closeChannel closes a channel. What is not published yet goes out when it is opened again, if there is a store.
func (c *core) closeChannel(ch *channelState, now time.Time) error {
	ch.closed = true
	delete(c.channels, ch.id)
	if c.topics[ch.topic]--; c.topics[ch.topic] == 0 {
		delete(c.topics, ch.topic)
	}
	for i, other := range c.order {
		if other == ch {
			c.order = append(c.order[:i], c.order[i+1:]...)
			break
		}
	}
	c.dropPublications(ch)
	for _, w := range ch.wanted {
		w.gone = true
	}
	err := c.manager.CloseChannel(ch.id)
	c.settle(now)
	return err
}

// setActive tells whether the network is reachable, and whether we are paused.
func (c *core) setActive(online, paused bool, now time.Time) {
	before := c.active()
	c.online, c.paused = online, paused
	if c.active() == before {
		return
	}
	c.engine(c.manager.SetOnline(c.active(), now), now)
	if c.active() {
		// Whatever failed before says nothing about now.
		c.publishing.failures, c.publishing.notBefore, c.tickAfter = 0, time.Time{}, time.Time{}
		c.fetchAll(now)
	}
	c.log.Info("active", zap.Bool("online", online), zap.Bool("paused", paused))
	c.settle(now)
}

// tick does what is due.
func (c *core) tick(now time.Time) {
	for _, ch := range c.order {
		if ch.segments != nil {
			ch.segments.expire(now)
		}
		c.takeHeld(ch, now)
		c.replayPage(ch, now)
	}
	for range maxTicks {
		if now.Before(c.tickAfter) {
			break
		}
		deadline, ok, err := c.manager.NextDeadline()
		if err == nil && (!ok || deadline.After(now)) {
			break
		}
		if err == nil {
			err = c.manager.Tick(now)
		}
		if c.settle(now); err == nil {
			c.engine(nil, now)
			c.tickAfter = now.Add(overduePause)
		} else if !errors.Is(err, sds.ErrOutputsFull) {
			c.engine(err, now)
		}
	}
	c.settle(now)
}

// next tells when tick has something to do; false if not before something happens.
func (c *core) next() (next time.Time, ok bool) {
	earlier := func(t time.Time, due bool) {
		if due && (!ok || t.Before(next)) {
			next, ok = t, true
		}
	}
	for _, ch := range c.order {
		earlier(c.storeAfter, ch.replay != nil && ch.events.room())
		earlier(c.storeAfter, len(ch.held) > 0)
	}
	earlier(c.storeAfter, len(c.staged) > 0)
	if c.paused {
		return next, ok
	}
	for _, ch := range c.order {
		if ch.segments != nil {
			earlier(ch.segments.next())
		}
	}
	deadline, due, err := c.manager.NextDeadline()
	if err != nil {
		return next, ok
	}
	if deadline.Before(c.tickAfter) {
		deadline = c.tickAfter
	}
	earlier(deadline, due)
	return next, ok
}

// emit offers an event, once what it tells of is stored.
func (c *core) emit(ch *channelState, e Event) {
	ch.dirty = true
	c.staged = append(c.staged, stagedEvent{ch, e})
}

// release lets the events go.
func (c *core) release() {
	for _, staged := range c.staged {
		if !staged.channel.closed {
			staged.channel.events.push(staged.event)
		}
	}
	clear(c.staged)
	c.staged = c.staged[:0]
}

// commit has the host store what changed; true if nothing is left to be stored.
func (c *core) commit(now time.Time) bool {
	if c.config.External == nil {
		return true
	}
	if now.Before(c.storeAfter) {
		return false
	}
	for {
		offer, err := c.manager.Offer()
		if err == nil && offer.Number == 0 {
			return true
		}
		if err == nil {
			err = c.config.External.Commit(offer.Writes)
		}
		if err == nil {
			err = c.manager.Confirm(offer.Number)
		}
		if err != nil {
			c.storeAfter = now.Add(storePause)
			c.problem(&c.commitTrouble, err, nil)
			return false
		}
		c.problemOver(&c.commitTrouble)
	}
}

// settle ends every step: what changed is stored, and then what depends on it gets out.
func (c *core) settle(now time.Time) {
	for {
		if !c.commit(now) {
			return
		}
		c.release()
		outputs, err := c.manager.Drain()
		for _, output := range outputs {
			if ch := c.channels[output.Channel()]; ch != nil {
				c.act(ch, output, now)
			}
		}
		if err != nil {
			c.engine(err, now)
		}
		// Acting on them may have made more.
		if len(outputs) == 0 || err != nil {
			break
		}
	}
	c.release()
	for _, ch := range c.order {
		c.tellDropped(ch)
		if ch.dirty {
			ch.dirty = false
			c.tellStatus(ch)
		}
	}
}

func (c *core) tellDropped(ch *channelState) {
	if ch.segments == nil {
		return
	}
	c.stats.SegmentsInvalid += ch.segments.invalid
	ch.segments.invalid = 0
	for _, dropped := range ch.segments.dropped {
		c.stats.SegmentSetsDropped++
		ch.events.push(dropped)
	}
	ch.segments.dropped = nil
}

// act does what the engine wants done or known.
func (c *core) act(ch *channelState, output sds.Output, now time.Time) {
	ch.dirty = true
	switch o := output.(type) {
	case sds.Transmit:
		c.transmit(ch, o)
	case sds.Delivered:
		delete(ch.waiting, o.MessageID)
		c.deliver(ch, incoming{
			id: o.MessageID, sender: o.SenderID, timestamp: o.Timestamp, content: o.Content, again: true,
			late: o.Late, own: o.Own,
		}, now)
	case sds.Missing:
		c.want(ch, o.HistoryEntry, now)
	case sds.BeforeUs:
		c.unwant(ch, o.MessageID)
	case sds.Lost:
		c.unwant(ch, o.MessageID)
		c.stats.Lost++
		c.emit(ch, Lost{MessageID: o.MessageID, SenderID: o.SenderID})
		c.log.Warn("lost", zap.String("channel", ch.id), zap.String("message", string(o.MessageID)))
	case sds.PossiblyAcknowledged:
		c.emit(ch, PossiblyDelivered{RequestID: ch.requestOf(o.MessageID), Probability: o.Probability})
	case sds.Acknowledged:
		c.acknowledged(ch, o.MessageID)
	case sds.Failed:
		c.givenUp(ch, o.MessageID, 0, now)
	case sds.Unconfirmed:
		c.givenUp(ch, o.MessageID, o.Probability, now)
	case sds.RepairRequested:
		c.emit(ch, RepairRequested{MessageID: o.MessageID, Asks: o.Asks})
	case sds.RepairAnswered:
		c.emit(ch, RepairAnswered{MessageID: o.MessageID})
	}
}

func (c *core) transmit(ch *channelState, o sds.Transmit) {
	part := ch.parts[o.MessageID]
	if part != nil && part.request.cancelled {
		return
	}
	class := classChat
	switch o.Reason {
	case sds.ReasonSync:
		class = classSync
	case sds.ReasonRepairRequest, sds.ReasonRepairAnswer:
		class = classRepair
	case sds.ReasonResend:
		if part == nil || part.dispatched {
			class = classResend
		}
	}
	c.enqueue(ch, o.MessageID, class, o.Reason, o.Data)
}

// setHint sets the retrieval hint of a message that is in the log, or waits: the engine keeps it with the message.
func (c *core) setHint(ch *channelState, id sds.MessageID, hash []byte) {
	if len(hash) == 0 {
		return
	}
	err := c.manager.SetRetrievalHint(ch.id, id, hash)
	// It may be in order and not in the log: stamped too far ahead, or pushed out again. And a node's hash may be no hint.
	if err != nil && !errors.Is(err, sds.ErrUnknownMessage) {
		c.log.Debug("no hint", zap.String("message", string(id)), zap.Error(err))
	}
}

// engine takes in what a call of the engine returned; true if it did what it was to do.
func (c *core) engine(err error, now time.Time) bool {
	if err == nil {
		// Not over while bytes wait for room: one call that works does not say that the next will.
		if !slices.ContainsFunc(c.order, func(ch *channelState) bool { return len(ch.held) > 0 }) {
			c.problemOver(&c.storeTrouble)
		}
		return true
	}
	c.storeAfter = now.Add(storePause)
	c.tickAfter = now.Add(storePause)
	c.problem(&c.storeTrouble, err, nil)
	return false
}

// problem tells, once, that something goes wrong: in a channel, or in all of them.
func (c *core) problem(t *trouble, err error, only *channelState) {
	if t.on {
		return
	}
	t.on = true
	c.log.Warn("problem", zap.Error(err))
	for _, ch := range c.order {
		if only == nil || only == ch {
			ch.events.push(Problem{Err: err})
		}
	}
}

func (c *core) problemOver(t *trouble) {
	if t.on {
		t.on = false
		c.log.Info("problem over")
	}
}

// shut ends everything, before the engine is closed.
func (c *core) shut(now time.Time) {
	c.storeAfter = time.Time{}
	if c.config.External != nil && c.manager.Flush() == nil {
		c.commit(now)
	}
	for _, ch := range c.order {
		ch.closed = true
	}
}
