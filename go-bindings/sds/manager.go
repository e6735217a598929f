package sds

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"time"
)

// Manager is the state of one participant in any number of channels. Make it with [Open], [OpenStore] or [OpenExternal].
//
// All methods may be called from any goroutine at any time. Methods of a nil or zero Manager return ErrInvalidHandle,
// methods of a closed one ErrClosed. Texts and bytes that are given to a method are only read during the call; those
// that it returns belong to the caller.
type Manager struct {
	handle handle
	kept   kept
	// wake holds a token when a call may have made outputs or a nearer deadline since Run, or who calls Wake, last looked.
	wake    chan struct{}
	close   sync.Once
	cleanup runtime.Cleanup
}

// Open makes a manager whose state is in memory only. Close it when it is no longer needed; one that is forgotten is closed
// some time after the garbage collector finds it.
//
// Errors: ErrInvalidConfig, its detail naming the field; ErrNotUTF8; ErrInvalidArgument for an unknown profile;
// ErrNoResources without randomness for the seed; ErrInvalidSize if the library linked in is not that of the header.
func Open(config Config) (*Manager, error) {
	return open(inMemory, func() (handle, error) { return cOpen(&config) })
}

// kept says who keeps the state of a manager.
type kept int

const (
	inMemory kept = iota
	inStore
	byHost
)

func open(kept kept, open func() (handle, error)) (*Manager, error) {
	if version := cABIVersion(); version != headerABIVersion {
		detail := fmt.Sprintf("libsds has ABI version %d, and its header %d: build it again", version, headerABIVersion)
		return nil, &Error{Status: ErrInvalidSize, Detail: detail}
	}
	h, err := open()
	if err != nil {
		return nil, err
	}
	m := &Manager{handle: h, kept: kept, wake: make(chan struct{}, 1)}
	m.cleanup = runtime.AddCleanup(m, func(h handle) { _ = cClose(h) }, h)
	return m, nil
}

// Close closes the manager and frees all it holds. It waits for calls that other goroutines have inside; later ones get
// ErrClosed, and so does a Run that is under way. Closing again, from any goroutine, waits in the same way and returns
// nil. What is not stored yet is, as Flush does; after OpenExternal, what was not confirmed is gone.
//
// Errors: ErrInvalidHandle for a nil or zero Manager; ErrStoreFailed if not all could be stored: it is closed all the same.
func (m *Manager) Close() error {
	if m.id() == 0 {
		return errNoManager
	}
	var err error
	m.close.Do(func() {
		m.cleanup.Stop()
		if err = cClose(m.handle); errors.Is(err, ErrClosed) {
			err = nil // Shutdown was faster
		}
		m.notify()
	})
	return err
}

// Reset forgets every channel and everything that waits to be drained, as if the manager had just been opened; in its store,
// too.
func (m *Manager) Reset() error {
	return m.done(cReset(m.id()))
}

// SetOnline tells whether the network is reachable. Offline, nothing is resent, asked for or answered and no sync message is
// made; what fell due meanwhile goes out with the next tick online. Nor is anything missing given up: that time does not
// count. A new manager is online.
//
// A host that is going to sleep says so with false: time in which it merely makes no call counts, and what has been missing
// for Config.DependencyTimeout when it wakes is lost at the next Tick (its event has its hint: it can still be fetched, and is
// delivered, late). Time in which a stored manager is not open does not count anyway.
func (m *Manager) SetOnline(online bool, now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	return m.done(cSetOnline(m.id(), online, ms))
}

// OpenChannel opens a channel, or opens it again with the state that it had when it was closed. Opening an open channel
// with the same options does nothing.
//
// Errors: ErrChannelOptionsDiffer, ErrInvalidID, ErrNotUTF8, ErrTooManyChannels; ErrInvalidArgument for an unknown
// profile.
func (m *Manager) OpenChannel(channelID string, options ChannelOptions, now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	return m.done(cOpenChannel(m.id(), channelID, options, ms))
}

// CloseChannel closes a channel: nothing is sent for it, and bytes for it are refused. Its state stays until it is opened
// again, forgotten, or the manager is closed. Time goes on for what it misses: what has been missing for
// Config.DependencyTimeout when it is opened again is lost at the next Tick.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8.
func (m *Manager) CloseChannel(channelID string) error {
	return m.done(cCloseChannel(m.id(), channelID))
}

// ForgetChannel forgets a channel, open or closed: its log, its unacknowledged messages, everything.
//
// Errors: as CloseChannel.
func (m *Manager) ForgetChannel(channelID string) error {
	return m.done(cForgetChannel(m.id(), channelID))
}

// Channels returns the open channels in ascending order.
func (m *Manager) Channels() ([]string, error) {
	s := getScratch()
	defer s.put()
	if err := m.done(cListChannels(m.id(), s)); err != nil {
		return nil, err
	}
	var channels []string
	for b := s.bytes(); len(b) > 0; {
		r, rest, err := readRecord(b)
		if err != nil {
			return nil, err
		}
		if r.kind == recordChannel {
			channels = append(channels, string(r.texts[:r.channelLen]))
		}
		b = rest
	}
	return channels, nil
}

// ChannelStatus tells how much of a channel is here, and what is not.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8.
func (m *Manager) ChannelStatus(channelID string) (ChannelStatus, error) {
	status, err := cChannelStatus(m.id(), channelID)
	runtime.KeepAlive(m)
	return status, err
}

// DumpChannel returns a channel's state without any content as JSON, for bug reports.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8.
func (m *Manager) DumpChannel(channelID string) ([]byte, error) {
	s := getScratch()
	defer s.put()
	err := cDumpChannel(m.id(), channelID, s)
	runtime.KeepAlive(m)
	if err != nil {
		return nil, err
	}
	return bytes.Clone(s.bytes()), nil
}

// WrapOutgoing makes a message ready to be broadcast, and keeps it until somebody is known to have it (RFC 109, Send
// Message). The id must be unique for ever; the empty one stands for an id derived by SHA-256 from channel, sender,
// timestamp and content. Wrapping an id again with equal content returns the same bytes: a retry.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8, ErrIDMismatch; ErrIDReused if the id was used for other content;
// ErrBytesGone; ErrEmptyContent, ErrTooLarge; ErrTooManyUnacknowledged; ErrOutputsFull, ErrUnconfirmed: drain or confirm,
// then try again. ErrStoreFailed, if the store failed in this call: then the message was wrapped all the same, and comes as a
// Transmit once it is stored; wrapping it again under its id does no harm.
//
// A message has hundreds of bytes up to some 20 KB, most of it its filter. Who sends many is better served by
// [Manager.AppendOutgoing].
func (m *Manager) WrapOutgoing(channelID string, id MessageID, content []byte, now time.Time) (Wrapped, error) {
	return m.AppendOutgoing(nil, channelID, id, content, now)
}

// AppendOutgoing does what WrapOutgoing does and appends the bytes to dst: Data is dst, extended, in memory of its own if
// dst has not enough capacity. With Data[:0] of the message before, once that is broadcast, nothing is allocated. The
// content may lie in dst.
//
// Errors: as WrapOutgoing; what dst holds then stays as it is.
func (m *Manager) AppendOutgoing(
	dst []byte, channelID string, id MessageID, content []byte, now time.Time,
) (Wrapped, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return Wrapped{}, err
	}
	s := getScratch()
	defer s.put()
	room := dst[len(dst):cap(dst)]
	size, err := cWrapOutgoing(m.id(), channelID, id, content, ms, room, s)
	if err := m.done(err); err != nil {
		return Wrapped{}, err
	}
	wrapped, data, err := readWrapped(id, s.bytes())
	if err != nil {
		return Wrapped{}, err
	}
	if size <= len(room) {
		wrapped.Data = dst[:len(dst)+size]
	} else {
		wrapped.Data = append(dst, data...)
	}
	return wrapped, nil
}

// WrapEphemeral makes a message that is delivered at once, is not acknowledged and leaves no trace (RFC 109, Ephemeral
// Messages): "alice is typing".
//
// Errors: as WrapOutgoing; ErrEphemeralUnsupported in a libsds channel.
func (m *Manager) WrapEphemeral(channelID string, id MessageID, content []byte, now time.Time) (Wrapped, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return Wrapped{}, err
	}
	s := getScratch()
	defer s.put()
	if err := m.done(cWrapEphemeral(m.id(), channelID, id, content, ms, s)); err != nil {
		return Wrapped{}, err
	}
	wrapped, data, err := readWrapped(id, s.bytes())
	wrapped.Data = bytes.Clone(data)
	return wrapped, err
}

// readWrapped reads all but the bytes to broadcast, which it returns as they lie in the record.
func readWrapped(id MessageID, b []byte) (wrapped Wrapped, data []byte, err error) {
	r, err := readOnly(recordWrapped, b)
	if err != nil {
		return Wrapped{}, nil, err
	}
	if id == "" {
		id = r.messageID()
	}
	return Wrapped{MessageID: id, Timestamp: r.timestamp, Held: r.flags&flagHeld != 0}, r.data, nil
}

// UnwrapIncoming takes in bytes from the network, of either profile, and returns the message and what became of it (RFC
// 109, Receive Message). The content is returned at once, also if the message has to wait for others or came before.
//
// Errors: ErrNotSDS for traffic of another kind, which may be treated as such; ErrMalformed, ErrTooLarge, ErrNotUTF8,
// ErrInvalidID; ErrUnknownChannel, its detail naming the channel; ErrIDMismatch in a channel of derived ids;
// ErrOutputsFull, ErrUnconfirmed: drain or confirm, and hand the bytes in again. ErrStoreFailed, if the store failed in this
// call: then the message was taken in, and comes as Delivered once it is stored; hand the bytes in again if you like.
func (m *Manager) UnwrapIncoming(data []byte, now time.Time) (Unwrapped, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return Unwrapped{}, err
	}
	s := getScratch()
	defer s.put()
	if err := m.done(cUnwrapIncoming(m.id(), data, ms, s)); err != nil {
		return Unwrapped{}, err
	}
	r, err := readOnly(recordUnwrapped, s.bytes())
	if err != nil {
		return Unwrapped{}, err
	}
	return r.unwrapped()
}

// batchBytes is how much of a batch goes to the library at once: as much as lets the results fit into a scratch that is
// kept. Crossing over costs far less than a message does, so that larger parts would gain nothing: unless each is
// committed, for which it is storeBatchBytes.
const (
	batchBytes      = 64 << 10
	storeBatchBytes = 8 << 20
)

// UnwrapIncomingBatch takes in several messages with few calls of the library, and commits to a store together what follows
// each other in one channel, which is many times faster. The results are in the order given; each is what UnwrapIncoming
// would have returned. A store that fails does so for all that were to be committed together.
//
// Errors: those that concern the manager. The results of the messages before it come with it. A message that is refused is
// no error of the batch.
func (m *Manager) UnwrapIncomingBatch(data [][]byte, now time.Time) ([]UnwrapResult, error) {
	ms, err := unixMilli(now)
	if err != nil {
		return nil, err
	}
	s := getScratch()
	defer s.put()
	most := batchBytes
	if m.id() != 0 && m.kept == inStore {
		most = storeBatchBytes
	}
	results := make([]UnwrapResult, 0, len(data))
	for first := true; first || len(data) > 0; first = false {
		count, size := 0, 0
		for count < len(data) && (count == 0 || size+len(data[count]) <= most) {
			size += len(data[count])
			count++
		}
		flatten(s, data[:count])
		if err := m.done(cUnwrapIncomingBatch(m.id(), ms, s)); err != nil {
			return results, err
		}
		if results, err = readBatch(results, count, s.bytes()); err != nil {
			return results, err
		}
		data = data[count:]
	}
	return results, nil
}

// readBatch appends the results of count messages.
func readBatch(results []UnwrapResult, count int, b []byte) ([]UnwrapResult, error) {
	want := len(results) + count
	for len(b) > 0 {
		r, rest, err := readRecord(b)
		if err != nil {
			return results, err
		}
		b = rest
		var result UnwrapResult
		switch r.kind {
		case recordUnwrapped:
			if result.Unwrapped, err = r.unwrapped(); err != nil {
				return results, err
			}
		case recordRefused:
			result.Err = &Error{Status: Status(r.code), Detail: string(r.data)}
		default:
			return results, errRecord
		}
		results = append(results, result)
	}
	if len(results) != want {
		return results, errRecord
	}
	return results, nil
}

// MarkDependenciesMet tells that messages are here by other means: what waits for them waits no longer. They enter
// neither filter nor causal histories, and are delivered should they come. Ids never heard of are fine.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8: then none is marked; ErrOutputsFull.
func (m *Manager) MarkDependenciesMet(channelID string, ids []MessageID, now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	s := getScratch()
	defer s.put()
	flatten(s, ids)
	return m.done(cMarkDependenciesMet(m.id(), channelID, ms, s))
}

// SetRetrievalHint sets what others need to fetch a message, such as the network's own hash of it. It goes out in the
// causal histories that name the message. It may be set as soon as the message is here, also while that waits for others. An
// empty hint removes it.
//
// Errors: ErrUnknownChannel; ErrUnknownMessage if the message is neither in the log nor waits; ErrTooLarge; ErrInvalidID, ErrNotUTF8.
func (m *Manager) SetRetrievalHint(channelID string, id MessageID, hint []byte) error {
	err := cSetRetrievalHint(m.id(), channelID, id, hint)
	runtime.KeepAlive(m)
	return err
}

// NextHistory tells which messages the next one will name in its causal history, so that their hints can be set first.
//
// Errors: ErrUnknownChannel; ErrInvalidID, ErrNotUTF8.
func (m *Manager) NextHistory(channelID string) ([]HistoryEntry, error) {
	return m.entries(channelID, cNextHistory)
}

// Missing tells what is missing now, the first to be lost first. Each was told by an event before (MessageMissing), but
// after a restart the host may have fetched none of it.
//
// Errors: as NextHistory.
func (m *Manager) Missing(channelID string) ([]HistoryEntry, error) {
	return m.entries(channelID, cMissing)
}

func (m *Manager) entries(channelID string, get func(handle, string, *scratch) error) ([]HistoryEntry, error) {
	s := getScratch()
	defer s.put()
	err := get(m.id(), channelID, s)
	runtime.KeepAlive(m)
	if err != nil {
		return nil, err
	}
	r, err := readOnly(recordHistory, s.bytes())
	if err != nil {
		return nil, err
	}
	return r.history()
}

// Tick does what is due: resends, sync messages, losses (RFC 109, periodic sweeps). Early, late or extra calls do no
// harm. Drain afterwards.
//
// Errors: ErrOutputsFull if what waits left no room for all that is due: drain, and tick again; ErrUnconfirmed: confirm, and
// tick again; ErrStoreFailed, when channels for which it works had their turn.
func (m *Manager) Tick(now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	err = cTick(m.id(), ms)
	m.notify() // also when it was refused: what did fit is there
	return err
}

// NextDeadline tells when the next tick is due, so that the host can sleep until then; ok is false if nothing is due, ever.
// Ask again after every other call.
func (m *Manager) NextDeadline() (deadline time.Time, ok bool, err error) {
	ms, ok, err := cNextDeadline(m.id())
	runtime.KeepAlive(m)
	if err != nil || !ok {
		return time.Time{}, false, err
	}
	return time.UnixMilli(int64(min(ms, math.MaxInt64))), true, nil
}

// Drain takes all outputs that wait, oldest first.
func (m *Manager) Drain() ([]Output, error) {
	s := getScratch()
	defer s.put()
	var outputs []Output
	for more := true; more; {
		var err error
		if more, err = cDrain(m.id(), s); err != nil {
			// What was taken before is gone from the manager, and must not be lost here. If the error stays, the next
			// call returns it.
			if len(outputs) > 0 {
				err = nil
			}
			return outputs, err
		}
		if outputs, err = readOutputs(outputs, s.bytes()); err != nil {
			return outputs, err
		}
	}
	runtime.KeepAlive(m)
	return outputs, nil
}

// Wake returns a channel that holds a token when a call may have made outputs or a nearer deadline since the last token was
// taken: for a loop of the program's own, in place of Run. Take the token first, then look. Close leaves one, too. It is nil
// for a nil Manager.
func (m *Manager) Wake() <-chan struct{} {
	if m == nil {
		return nil
	}
	return m.wake
}

// MessageStatus tells how far a message of ours got, and who gave evidence of having it.
//
// Errors: ErrUnknownChannel, ErrUnknownMessage; ErrInvalidID, ErrNotUTF8.
func (m *Manager) MessageStatus(channelID string, id MessageID) (MessageStatus, error) {
	s := getScratch()
	defer s.put()
	err := cMessageStatus(m.id(), channelID, id, s)
	runtime.KeepAlive(m)
	if err != nil {
		return MessageStatus{}, err
	}
	r, err := readOnly(recordMessageStatus, s.bytes())
	if err != nil {
		return MessageStatus{}, err
	}
	return r.messageStatus()
}

// Retry sends a message of ours again, now and with a fresh count of resends, given up or not. It comes out of Drain as a
// Transmit. An acknowledged message is not sent.
//
// Errors: ErrUnknownChannel, ErrUnknownMessage; ErrInvalidID, ErrNotUTF8; ErrOutputsFull; ErrTooManyUnacknowledged for a
// cancelled message that finds no room.
func (m *Manager) Retry(channelID string, id MessageID, now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	return m.done(cRetry(m.id(), channelID, id, ms))
}

// Cancel stops resending a message of ours. It stays in the log, since it may have been received, and whoever then misses
// it and asks for it gets it.
//
// Errors: ErrUnknownChannel, ErrUnknownMessage; ErrInvalidID, ErrNotUTF8.
func (m *Manager) Cancel(channelID string, id MessageID, now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	return m.done(cCancel(m.id(), channelID, id, ms))
}

var errNoManager error = &Error{Status: ErrInvalidHandle, Detail: "the Manager is nil or was not opened"}

// id is the handle of the manager; 0, which the library refuses, for a nil or zero one.
func (m *Manager) id() handle {
	if m == nil {
		return 0
	}
	return m.handle
}

// done ends a call that may have made outputs or a nearer deadline. It keeps the manager from being closed by the garbage
// collector before the call was over.
func (m *Manager) done(err error) error {
	if err == nil {
		m.notify()
	}
	runtime.KeepAlive(m)
	return err
}

// notify leaves a token for Run and Wake. It comes after what it tells of, and the token stays until it is taken; hence who
// looks after that sees everything. See Run.
func (m *Manager) notify() {
	if m == nil {
		return
	}
	select {
	case m.wake <- struct{}{}:
	default: // one is there already, or the manager is a zero one
	}
}

// unixMilli is a time as the library wants it.
func unixMilli(now time.Time) (uint64, error) {
	// The seconds are compared, not the milliseconds: time.UnixMilli overflows silently, into any number.
	switch seconds := now.Unix(); {
	case seconds < 0:
		return 0, &Error{Status: ErrInvalidArgument, Detail: "now is before 1970: " + now.String()}
	case seconds >= math.MaxInt64/1000:
		detail := fmt.Sprintf("now is too far ahead to count in milliseconds: %d s after 1970", seconds)
		return 0, &Error{Status: ErrInvalidArgument, Detail: detail}
	}
	return uint64(now.UnixMilli()), nil
}

// flatten lays texts one after the other into the scratch, as the library wants lists.
func flatten[T ~string | ~[]byte](s *scratch, items []T) {
	s.flat, s.lengths = s.flat[:0], s.lengths[:0]
	for _, item := range items {
		s.flat = append(s.flat, item...)
		s.lengths = append(s.lengths, uintptr(len(item)))
	}
}
