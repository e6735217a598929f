package reliable

import (
	"cmp"
	"slices"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

const (
	// replayPage is how many messages of the log are read in one step.
	replayPage = 64
	// restoreWindow is how far back the log is searched for payloads of ours that nobody acknowledged yet, and for segments of
	// payloads that are not complete.
	restoreWindow = 7 * 24 * time.Hour
)

// replay is where the reading of a stored log stands.
type replay struct {
	after    sds.LogPosition
	payloads int
	// silent: only for the segments, the application is told nothing.
	silent bool
	// entries is the log of a host that keeps the records.
	entries []sds.LogEntry
}

func (c *core) stored() bool { return c.config.StorePath != "" || c.config.External != nil }

// restore takes up, at the opening of a channel, what a former process left: which payloads of ours are under way, and where
// to begin to read the log.
func (c *core) restore(ch *channelState, now time.Time) error {
	if !c.stored() {
		return nil
	}
	entries, err := c.logOfHost(ch.id)
	if err != nil {
		return err
	}
	recent := sds.LogPosition{Timestamp: uint64(max(now.Add(-restoreWindow).UnixMilli(), 0))}
	status, err := c.manager.ChannelStatus(ch.id)
	if err != nil {
		return err
	}
	if status.Unacknowledged+status.GivenUp > 0 {
		if err := c.restoreRequests(ch, &replay{after: recent, entries: entries}); err != nil {
			return err
		}
	}
	switch {
	case ch.options.Replay:
		ch.replay = &replay{entries: entries}
	case ch.segments != nil:
		ch.replay = &replay{after: recent, entries: entries, silent: true}
	}
	return nil
}

// restoreRequests finds the payloads of ours that are not acknowledged, given up or not. Those that have no hint were never dispatched, as far
// as we know.
func (c *core) restoreRequests(ch *channelState, log *replay) error {
	for {
		page, err := c.readLog(ch, log)
		if err != nil {
			return err
		}
		for _, e := range page.Entries {
			if !e.Sent {
				continue
			}
			status, err := c.manager.MessageStatus(ch.id, e.MessageID)
			if err != nil || status.State == sds.StateAcknowledged || status.State == sds.StateCancelled {
				continue
			}
			id, parity := RequestID(e.MessageID), false
			if ch.segments != nil {
				if s, err := decodeSegment(e.Content, ch.segments.limits); err == nil && (s.count > 1 || s.parity) {
					id, parity = s.id(), s.parity
				}
			}
			r := ch.requests[id]
			if r == nil {
				r = &request{id: id}
			}
			ch.track(r, e.MessageID, parity, e.RetrievalHint != nil)
			if status.State != sds.StateUnacknowledged && status.State != sds.StatePossiblyAcknowledged && !r.failed {
				c.fail(ch, r)
			}
		}
		if !page.More {
			return nil
		}
	}
}

// replayPage reads on in the log, if the application reads too.
func (c *core) replayPage(ch *channelState, now time.Time) {
	r := ch.replay
	if r == nil || !ch.events.room() || now.Before(c.storeAfter) {
		return
	}
	page, err := c.readLog(ch, r)
	if err != nil {
		c.engine(err, now)
		return
	}
	for _, e := range page.Entries {
		if len(e.Content) == 0 {
			continue // only its name is known
		}
		m := incoming{
			id: e.MessageID, sender: e.SenderID, timestamp: e.Timestamp, content: e.Content,
			late: e.Late, own: e.Own || e.Sent, replayed: true,
		}
		event := m.event(RequestID(m.id), m.content)
		if ch.segments != nil {
			event = ch.segments.add(m, now)
		}
		if event != nil && !r.silent {
			r.payloads++
			c.emit(ch, event)
		}
	}
	if page.More {
		return
	}
	ch.replay, ch.dirty = nil, true
	if !r.silent {
		c.emit(ch, Replayed{Payloads: r.payloads})
	}
}

// readLog reads the next page of a log.
func (c *core) readLog(ch *channelState, r *replay) (page sds.LogPage, err error) {
	if c.config.External == nil {
		page, err = c.manager.ReadLog(ch.id, r.after, replayPage)
	} else {
		from, _ := slices.BinarySearchFunc(r.entries, r.after, func(e sds.LogEntry, after sds.LogPosition) int {
			if comparePositions(e.Position(), after) <= 0 {
				return -1
			}
			return 1
		})
		to := min(from+replayPage, len(r.entries))
		page = sds.LogPage{Entries: r.entries[from:to], More: to < len(r.entries)}
	}
	if n := len(page.Entries); n > 0 {
		r.after = page.Entries[n-1].Position()
	}
	return page, err
}

// logOfHost is the log of a channel in the records that the host gave at the start. It is asked for once.
func (c *core) logOfHost(channelID string) ([]sds.LogEntry, error) {
	values := make(map[sds.Key][]byte)
	for _, r := range c.records[channelID] {
		values[r.Key] = r.Value
	}
	delete(c.records, channelID)
	var entries []sds.LogEntry
	for key, value := range values {
		if !key.IsMessage() {
			continue
		}
		entry, err := c.manager.ReadLogRecord(key, value, values[key.Side()])
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(a, b sds.LogEntry) int { return comparePositions(a.Position(), b.Position()) })
	return entries, nil
}

func comparePositions(a, b sds.LogPosition) int {
	return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.MessageID, b.MessageID))
}
