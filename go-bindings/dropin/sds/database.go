package sds

import (
	"bytes"
	"fmt"
	"maps"
	"time"

	"github.com/waku-org/sds-go-bindings/engine"
)

// Database is a database of the program, in which the manager's state lies beside the program's own rows, so that both are
// committed together. Its methods are called one at a time, and must not call the manager.
type Database interface {
	// Load returns all records that Commit put and did not delete since; none at the first start.
	Load() ([]engine.StoredRecord, error)
	// Commit writes a step: all of it or nothing, in one transaction, together with the rows that the program has of its
	// messages. After an error the same step comes again.
	Commit(step Step) error
}

// Step is what a call changed.
type Step struct {
	// Writes are to be done in this order.
	Writes []engine.Write
	// Messages are those that this step is about: each is published, returned or told only when the step is committed. One
	// that waits comes again when it is ready.
	Messages []Message
}

// State is how far a message got.
type State int

const (
	// StateSent: we send it.
	StateSent State = iota + 1
	// StateWaiting: it was received, and depends on messages that are not here.
	StateWaiting
	// StateReady: it was received, and is in causal order; or it waited before, and is now.
	StateReady
)

// Message is a message that a step is about.
type Message struct {
	// State is how far it got.
	State State
	// ChannelID is its channel.
	ChannelID string
	// MessageID is its id.
	MessageID MessageID
	// SenderID is who sent it; it may be empty.
	SenderID string
	// Content is its payload.
	Content []byte
}

type inDatabase struct{ database Database }

// InDatabase keeps the state in a database of the program. A message that is sent is committed before WrapOutgoingMessage
// returns it, one that is received before UnwrapReceivedMessage does; no callback tells of what is not committed.
//
// If Commit fails, these calls return its error, wrapped. What they changed stays in memory and is committed with what
// follows; a message that was to be sent comes as an engine.Transmit then, and is returned when it is wrapped again; one that
// was received is ready then.
func InDatabase(database Database) Store { return inDatabase{database} }

func (s inDatabase) open(config engine.Config, now time.Time) (*engine.Manager, *host, error) {
	records, err := s.database.Load()
	if err != nil {
		return nil, nil, fmt.Errorf("loading the state of SDS: %w", err)
	}
	manager, err := engine.OpenExternal(config, records, now)
	h := &host{database: s.database, latest: make(map[string]engine.Key)}
	for _, record := range records {
		if isNew(record.Key, h.latest[record.ChannelID]) {
			h.latest[record.ChannelID] = record.Key
		}
	}
	return manager, h, err
}

// isNew tells whether a key is that of a message that is new in the log: it comes after the last. Under one that was there
// before, less is kept of a message that the program knows, and may have deleted.
func isNew(key, last engine.Key) bool { return key.IsMessage() && bytes.Compare(key[:], last[:]) > 0 }

// host is what waits to be committed to the database of the program.
type host struct {
	database Database
	// latest has the greatest key of a message that is committed, by channel.
	latest map[string]engine.Key
	// waiting and events belong to the offer that waits: messages received that are not in the log yet, and what to tell.
	waiting []Message
	events  []event
	// wanted is the message that a caller waits for, and found its bytes.
	wanted engine.MessageID
	found  []byte
}

// commitStep makes a call and commits what follows from it. What an earlier step could not commit goes first, or this one
// does not begin: so all that waits belongs to one offer.
func (rm *ReliabilityManager) commitStep(call func() error) error {
	if err := rm.settle(); err != nil {
		return err
	}
	if err := call(); err != nil {
		return err
	}
	return rm.settle()
}

// settle commits, confirms, and queues what depended on it, until nothing waits.
func (rm *ReliabilityManager) settle() error {
	h := rm.host
	for {
		offer, err := rm.engine.Offer()
		if err != nil || offer.Number == 0 {
			return err
		}
		messages, latest, err := rm.logged(offer.Writes)
		if err != nil {
			return err
		}
		step := Step{Writes: offer.Writes, Messages: append(messages, h.waiting...)}
		if err := h.database.Commit(step); err != nil {
			return fmt.Errorf("committing the state of SDS: %w", err)
		}
		h.waiting = nil
		maps.Copy(h.latest, latest)
		if err := rm.engine.Confirm(offer.Number); err != nil {
			return err
		}
		if err := rm.release(); err != nil {
			return err
		}
	}
}

// logged are the messages that enter the log by an offer: sent, delivered at once, or delivered after they waited. They are
// taken from the offer itself, and not from outputs, which come out when its transaction is over: a crash would keep them.
// Returns the last key of each channel, too, as far as it changes.
func (rm *ReliabilityManager) logged(writes []engine.Write) (messages []Message, latest map[string]engine.Key, err error) {
	latest = make(map[string]engine.Key)
	for _, write := range writes {
		last, changed := latest[write.ChannelID]
		if !changed {
			last = rm.host.latest[write.ChannelID]
		}
		switch {
		case write.Op == engine.WriteForget:
			latest[write.ChannelID] = engine.Key{}
		case write.Op == engine.WriteWipe:
			maps.Copy(latest, rm.host.latest)
			for channelID := range latest {
				latest[channelID] = engine.Key{}
			}
		}
		if write.Op != engine.WritePut || !isNew(write.Key, last) {
			continue
		}
		latest[write.ChannelID] = write.Key
		entry, err := rm.engine.ReadLogRecord(write.Key, write.Value, nil)
		if err != nil {
			return nil, nil, err
		}
		if entry.Received.IsZero() {
			continue // of a history that the program told of
		}
		state := StateReady
		if entry.Sent {
			state = StateSent
		}
		messages = append(messages, Message{
			state, write.ChannelID, MessageID(entry.MessageID), string(entry.SenderID), entry.Content,
		})
	}
	return messages, latest, nil
}

// release queues what is committed: the events of the step, and the outputs that the engine lets go.
func (rm *ReliabilityManager) release() error {
	h := rm.host
	for _, e := range h.events {
		rm.enqueue(e)
	}
	h.events = nil
	outputs, err := rm.engine.Drain()
	for _, o := range outputs {
		if o, ok := o.(engine.Transmit); ok && o.Reason == engine.ReasonPublish && o.MessageID == h.wanted {
			h.found = o.Data
			continue
		}
		rm.enqueue(event{kind: output, output: o})
	}
	return err
}

// waits notes a message that was received and is not in the log, for the step that is under way.
func (rm *ReliabilityManager) waits(u *engine.Unwrapped) {
	if rm.host != nil {
		rm.host.waiting = append(rm.host.waiting, Message{
			StateWaiting, u.ChannelID, MessageID(u.MessageID), string(u.SenderID), bytes.Clone(u.Content),
		})
	}
}

// wrapInStep wraps a message, and returns its bytes when it is committed.
func (rm *ReliabilityManager) wrapInStep(message []byte, messageID MessageID, channelID string) ([]byte, error) {
	hints := rm.hints(channelID)
	rm.mutex.Lock()
	defer rm.mutex.Unlock()
	h := rm.host
	defer func() { h.wanted, h.found = "", nil }()
	var data []byte
	err := rm.inStep(func() error {
		rm.setHints(channelID, hints)
		h.wanted = engine.MessageID(messageID)
		wrapped, err := rm.wrap(message, messageID, channelID)
		if err != nil {
			return err
		}
		data = wrapped.Data
		return nil
	})
	if err != nil {
		return nil, err
	}
	if h.found != nil {
		data = h.found
	}
	return data, nil
}

// hints asks the provider as ProvideHints does, but sets nothing: that belongs into the step, in which nobody may call back.
func (rm *ReliabilityManager) hints(channelID string) []engine.HistoryEntry {
	callbacks := rm.callbacks.Load()
	if callbacks == nil || callbacks.RetrievalHintProvider == nil {
		return nil
	}
	named, _ := rm.engine.NextHistory(channelID) // the channel may not be there yet
	changed := named[:0]
	for _, entry := range named {
		hint := callbacks.RetrievalHintProvider(MessageID(entry.MessageID))
		if len(hint) > 0 && !bytes.Equal(hint, entry.RetrievalHint) {
			entry.RetrievalHint = hint
			changed = append(changed, entry)
		}
	}
	return changed
}

func (rm *ReliabilityManager) setHints(channelID string, hints []engine.HistoryEntry) {
	for _, entry := range hints {
		rm.noHint(channelID, rm.engine.SetRetrievalHint(channelID, entry.MessageID, entry.RetrievalHint))
	}
}
