package sds

import (
	"bytes"
	"math"
	"runtime"
	"time"
)

// Synchronous says when a commit is on the disk itself, by SQLite's names.
type Synchronous uint32

const (
	// SynchronousFull: every commit waits for the disk. A loss of power loses nothing.
	SynchronousFull Synchronous = 0
	// SynchronousNormal: waits now and then. A loss of power may lose the latest commits, and damages nothing.
	SynchronousNormal Synchronous = 1
	// SynchronousOff: never waits. A crash of the process loses nothing; a loss of power may lose and damage.
	SynchronousOff Synchronous = 2
)

// String returns the name of the setting.
func (s Synchronous) String() string { return name("synchronous", int(s), "full", "normal", "off") }

// StoreOptions says how a store is opened. The zero value is the usual way.
type StoreOptions struct {
	// Synchronous says what a loss of power may cost.
	Synchronous Synchronous
}

// OpenStore makes a manager whose state is kept in a file, an SQLite database of its own: with the state that is there, or a
// new one. What was sent, received, missing or not yet acknowledged survives the end of the process, a crash included; the
// channels need not be opened again, and the time since counts as time offline.
//
// Each call commits what it changed before it returns, so that bytes and contents come out only when they are stored. If the
// store fails, the call that notices returns ErrStoreFailed: what it changed stays in memory and is stored by a later call,
// and what it would have returned comes out of Drain then. Until it is, calls that make more are refused with the same
// status, and change nothing.
//
// Messages that were handed out just before the process ended, or were about to be, are in the file and are not handed out
// again. A program that has a log of its own in another database reads this one at start, by ReadLog, and takes what it
// lacks; or uses OpenExternal. Nor are other outputs told again: ask MessageStatus and Missing.
//
// The file is made if it is not there. Another, named like it with -wal at its end, may lie beside it and is part of it. One
// manager at a time can have it. The participant of the Config has to be that of the file; the seed is the one in the file, if there is
// one.
//
// Errors: as Open; ErrStoreUnusable if the file is damaged, was written by a later version, is of another participant or of
// another program; ErrStoreFailed if it is locked by another manager, cannot be written, or cannot be made. It stays as it
// is, then. ErrNotBuiltIn from a library that was built without SQLite.
func OpenStore(config Config, path string, options StoreOptions, now time.Time) (*Manager, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return nil, err
	}
	return open(inStore, func() (handle, error) { return cOpenStore(&config, path, options.Synchronous, ms) })
}

// KeySize is the size of a Key in bytes.
const KeySize = 17

// Key names a record within its channel. Compared bytewise, the messages of a log lie together, in the order in which they
// came.
type Key [KeySize]byte

const (
	keyMessage = 1
	keySide    = 2
)

// IsMessage tells whether the record is a message of the log, for ReadLogRecord.
func (k Key) IsMessage() bool { return k[0] == keyMessage }

// Side is the key of what is said of a message of the log later, such as its hint; k is the key of the message.
func (k Key) Side() Key {
	k[0] = keySide
	return k
}

// StoredRecord is a record that a host keeps for a manager.
type StoredRecord struct {
	// ChannelID is its channel; empty for the record of the manager itself.
	ChannelID string
	// Key is its name there.
	Key Key
	// Value is what it holds.
	Value []byte
}

// OpenExternal makes a manager whose state the host keeps, in a database of its own, so that it can commit the manager's
// records together with its own rows, in one transaction.
//
// After each call that changed something, Offer has what to write. Commit it, then Confirm it. Until then what depends on it
// is held back: the bytes of WrapOutgoing (Wrapped.Held is true, and they come as a Transmit) and all outputs. What
// UnwrapIncoming returns is in the host's hands already: show it when it is committed.
//
// Rows of the host's belong into the same transaction, or a crash keeps them apart for ever. What enters the log, delivered
// or sent, is in the Offer: its puts whose Key IsMessage, which ReadLogRecord reads. A put under a Key that is there already
// replaces the record of a message that the host knows: less of it has to be kept. The Key of a new one is greater, bytewise,
// than those of all messages before it in its channel, until that is forgotten. Do not wait for Delivered, which comes out of
// Drain when the transaction is over. An output that was not drained when the process ended is not told again: what
// was to be transmitted is sent again in its time, and for the rest ask MessageStatus and Missing.
//
// The records are all that is kept, in any order: what was put and neither deleted, forgotten nor wiped; none at the first
// start. They are copied. The participant of the Config has to be theirs; the seed is theirs, too.
//
// Errors: as Open; ErrStoreUnusable if the records are damaged, incomplete, of a later version or of another participant.
func OpenExternal(config Config, records []StoredRecord, now time.Time) (*Manager, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return nil, err
	}
	return open(byHost, func() (handle, error) { return cOpenExternal(&config, records, ms) })
}

// WriteOp says what to do with a record.
type WriteOp uint16

const (
	// WritePut: put the value under the channel and the key, whether there is one or not.
	WritePut WriteOp = 1
	// WriteDelete: delete what is under the channel and the key, if it is there.
	WriteDelete WriteOp = 2
	// WriteForget: delete all that is under the channel.
	WriteForget WriteOp = 3
	// WriteWipe: delete everything, of all channels and of the manager.
	WriteWipe WriteOp = 4
)

// String returns the name of the operation.
func (o WriteOp) String() string { return name("write", int(o), "", "put", "delete", "forget", "wipe") }

// Write is one thing to write. Op says which fields of the record it has.
type Write struct {
	// Op is what to do.
	Op WriteOp
	StoredRecord
}

// Offer is what waits to be committed: all of it or nothing, in the order given.
type Offer struct {
	// Number is what to confirm it by; 0 if nothing waits.
	Number uint64
	// Writes are the things to write. There may be none, if only outputs wait to be let go.
	Writes []Write
}

// Offer tells what waits to be committed. It is the same again, byte for byte, until it is confirmed: also after a commit
// that failed. Calls of other goroutines go on meanwhile; what they change is the next offer. If nothing waits, its number
// is 0.
//
// Errors: ErrWrongStore if the manager was not opened with OpenExternal.
func (m *Manager) Offer() (Offer, error) {
	s := getScratch()
	defer s.put()
	number, err := cOffer(m.id(), s)
	runtime.KeepAlive(m)
	if err != nil {
		return Offer{}, err
	}
	offer := Offer{Number: number}
	for b := s.bytes(); len(b) > 0; {
		r, rest, err := readRecord(b)
		if err != nil {
			return Offer{}, err
		}
		write, err := r.write()
		if err != nil {
			return Offer{}, err
		}
		offer.Writes, b = append(offer.Writes, write), rest
	}
	return offer, nil
}

func (r *record) write() (Write, error) {
	write := Write{Op: WriteOp(r.code)}
	keyed := write.Op == WritePut || write.Op == WriteDelete
	// What is not understood must not be left out of what is committed.
	if r.kind != recordWrite || write.Op < WritePut || write.Op > WriteWipe || keyed && len(r.data) < KeySize {
		return Write{}, errRecord
	}
	write.ChannelID = string(r.texts[:r.channelLen])
	if keyed {
		write.Key, write.Value = Key(r.data[:KeySize]), bytes.Clone(r.data[KeySize:])
	}
	return write, nil
}

// Confirm tells that the host has committed an offer. What depended on it can be drained now.
//
// Errors: ErrInvalidArgument if that is not the offer that was made last, or it was confirmed before; ErrWrongStore.
func (m *Manager) Confirm(number uint64) error {
	return m.done(cConfirm(m.id(), number))
}

// Flush stores what is not stored yet. Little is: counts, and the time; nothing that the host was told of. Close does it,
// too. After OpenExternal it makes an Offer of it.
//
// Errors: ErrStoreFailed.
func (m *Manager) Flush() error {
	return m.done(cFlush(m.id()))
}

// LogPosition is a place in the order of a log: by timestamp, then by id.
type LogPosition struct {
	// Timestamp is the Lamport timestamp of a message, in milliseconds.
	Timestamp uint64
	// MessageID is its id; with the empty one, the place is before all messages of that timestamp.
	MessageID MessageID
}

// LogEntry is a message of a stored log.
type LogEntry struct {
	// MessageID is its id.
	MessageID MessageID
	// SenderID is who sent it; it may be empty.
	SenderID ParticipantID
	// Timestamp is its Lamport timestamp in milliseconds.
	Timestamp uint64
	// Received is when it was sent or received here, about; the zero time if the host said that it was here.
	Received time.Time
	// Content is the payload; empty if the host said that it was here. It belongs to the caller.
	Content []byte
	// RetrievalHint is what is needed to fetch it; nil if that is not known.
	RetrievalHint []byte
	// Sent is true if we sent it.
	Sent bool
	// Own is true if its sender id is ours, though we did not send it from this state.
	Own bool
	// Late is true if it had been given up as lost before it came.
	Late bool
}

// Position is the place of the message.
func (e *LogEntry) Position() LogPosition {
	return LogPosition{Timestamp: e.Timestamp, MessageID: e.MessageID}
}

// LogPage is a part of a stored log.
type LogPage struct {
	// Entries are the messages, ascending by timestamp, then by id.
	Entries []LogEntry
	// More is true if more may follow: ask again, after the Position of the last.
	More bool
}

// ReadLog reads a page of a channel's stored log, in its order: the messages after a place, at most limit of them, which
// is 1 to 10,000; more is taken for that. Where messages are large there are fewer: a page ends with the one that brings it
// to 16 MiB. The zero LogPosition is before the first message. The channel may be closed.
//
// Errors: ErrUnknownChannel; ErrWrongStore unless the manager was opened with OpenStore; ErrStoreFailed, ErrStoreUnusable;
// ErrInvalidID, ErrNotUTF8; ErrInvalidArgument for a limit below 1.
func (m *Manager) ReadLog(channelID string, after LogPosition, limit int) (LogPage, error) {
	s := getScratch()
	defer s.put()
	more, err := cReadLog(m.id(), channelID, after, max(limit, 0), s)
	runtime.KeepAlive(m)
	if err != nil {
		return LogPage{}, err
	}
	page := LogPage{More: more}
	for b := s.bytes(); len(b) > 0; {
		r, rest, err := readRecord(b)
		if err != nil {
			return LogPage{}, err
		}
		entry, err := r.logged()
		if err != nil {
			return LogPage{}, err
		}
		page.Entries, b = append(page.Entries, entry), rest
	}
	return page, nil
}

func (r *record) logged() (LogEntry, error) {
	hints, err := r.history()
	if err != nil || r.kind != recordLogged || len(hints) > 1 || !(r.number >= 0 && r.number < math.MaxInt64) {
		return LogEntry{}, errRecord
	}
	entry := LogEntry{
		Timestamp: r.timestamp,
		Content:   bytes.Clone(r.data),
		Sent:      r.flags&flagSent != 0,
		Own:       r.flags&flagOwn != 0,
		Late:      r.flags&flagLate != 0,
	}
	_, entry.MessageID, entry.SenderID = r.ids()
	if r.number > 0 {
		entry.Received = time.UnixMilli(int64(r.number))
	}
	if len(hints) == 1 {
		entry.RetrievalHint = hints[0].RetrievalHint
	}
	return entry, nil
}

// ReadLogRecord reads a message of a log that the host keeps, after OpenExternal. The records whose keys are IsMessage are
// the log, in the order in which the messages came; sort them by Position.
//
// Side is the value of the record of the same channel with the key key.Side(), nil if there is none.
//
// Errors: ErrStoreUnusable if the record is damaged; ErrInvalidArgument if its key is that of another kind.
func (m *Manager) ReadLogRecord(key Key, value, side []byte) (LogEntry, error) {
	s := getScratch()
	defer s.put()
	err := cReadLogRecord(m.id(), &key, value, side, s)
	runtime.KeepAlive(m)
	if err != nil {
		return LogEntry{}, err
	}
	r, err := readOnly(recordLogged, s.bytes())
	if err != nil {
		return LogEntry{}, err
	}
	return r.logged()
}

// KnownMessage is a message of a history that the host has.
type KnownMessage struct {
	// MessageID is its id.
	MessageID MessageID
	// SenderID is who sent it; empty if that is not known.
	SenderID ParticipantID
	// Timestamp is its Lamport timestamp in milliseconds; without one, the time at which it was sent.
	Timestamp uint64
	// RetrievalHint is what others need to fetch it; empty if that is not known.
	RetrievalHint []byte
}

// SeedHistory tells a channel which messages were there before it: those of a history that the host has. They enter the log
// without content, are named in causal histories, and are not missing. Those that are known already stay as they are. It
// returns how many were new.
//
// It is for the first start after switching over from something else: it spares the members a storm of missing messages. The
// last few hundred messages are enough.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8, ErrTooLarge: then none is taken; ErrOutputsFull; ErrStoreFailed: then
// they are taken, and stored later; ErrUnconfirmed.
func (m *Manager) SeedHistory(channelID string, known []KnownMessage, now time.Time) (int, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return 0, err
	}
	added, err := cSeedHistory(m.id(), channelID, known, ms)
	if err := m.done(err); err != nil {
		return 0, err
	}
	return added, nil
}
