package reliable

import (
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// RequestID names a payload that was sent. It is the id of the SDS message, or, of a payload in several segments, an id for
// all of them. Receivers see it as MessageID.
type RequestID string

// Event is something that happened in a channel. It is one of the types below, as a value, not a pointer. Later versions may
// add types: skip those you do not know.
//
// [Received], [Ready], [Sent], [Delivered], [SendError], [DeliveryError] and [Replayed] are never dropped. The others tell what
// is going on, and are dropped, and counted in [SyncStatus], while the application does not read.
type Event interface {
	// Name is what the reliable channel API calls it.
	Name() string

	essential() bool
	// size is about how many bytes the event holds.
	size() int
}

// Incoming is a payload and where it comes from.
type Incoming struct {
	// MessageID names the payload for everybody.
	MessageID RequestID
	// SenderID is who sent it, as the message says. It may be empty.
	SenderID sds.ParticipantID
	// Timestamp is its Lamport timestamp in milliseconds: with the MessageID, the place in the order that all members see.
	// Of a payload in segments it is that of the last one that was needed.
	Timestamp uint64
	// Payload is what was sent. It belongs to the receiver of the event.
	Payload []byte
	// Late is true if it had been given up as lost before it came.
	Late bool
	// Own is true if it is ours: from an installation that forgot it, or, replayed, from this one.
	Own bool
}

// Received brings a payload, each once. After a restart one in segments that was Pending before it may come once more.
type Received struct {
	Incoming
	// Pending is true if something that it depends on is not here yet. Show it, marked; when its order is known, Ready
	// follows.
	Pending bool
	// Ephemeral is true if it is in no order and will not be remembered.
	Ephemeral bool
	// Replayed is true if it comes from the stored log, at the start.
	Replayed bool
}

// Ready tells that a payload that was Pending is now in order. After a restart it may come for one that was offered
// before it.
type Ready struct {
	Incoming
}

// Sent tells that a payload, all of its segments, was dispatched to the network for the first time. After a restart it may be
// told again, if the network has no hashes.
type Sent struct {
	// RequestID is what Send returned.
	RequestID RequestID
}

// Delivered tells that somebody has the payload. Of one in segments: that somebody has each of them.
type Delivered struct {
	// RequestID is what Send returned.
	RequestID RequestID
}

// SendError tells that a payload was never dispatched, and is no longer tried. Retry tries again.
type SendError struct {
	// RequestID is what Send returned.
	RequestID RequestID
	// Err is the last error of the node or of the encryption.
	Err error
}

// DeliveryError tells that a payload was dispatched, and that nobody acknowledged it, however often it was resent. Retry tries
// again; an acknowledgement that comes late is told all the same, by Delivered.
type DeliveryError struct {
	// RequestID is what Send returned.
	RequestID RequestID
	// Probability is the chance that somebody has it, 0 to 1; 0 if nothing was heard of it.
	Probability float64
	// Err says so in words.
	Err error
}

// Replayed ends the replay of the stored log.
type Replayed struct {
	// Payloads counts what was replayed.
	Payloads int
}

// PossiblyDelivered tells that there is evidence, and no proof, that somebody has a message of ours.
type PossiblyDelivered struct {
	// RequestID is what Send returned.
	RequestID RequestID
	// Probability is the chance that somebody has the message, or this segment of it, 0 to 1.
	Probability float64
}

// Missing tells that others named a message that is not here. It is being fetched, or the other members are asked.
type Missing struct {
	// MessageID is the SDS message.
	MessageID sds.MessageID
	// SenderID is who sent it, as far as whoever named it said so.
	SenderID sds.ParticipantID
}

// Recovered tells that a missing message came.
type Recovered struct {
	// MessageID is the SDS message.
	MessageID sds.MessageID
	// Fetched is true if the store had it, false if it came over the network, late or because somebody sent it again.
	Fetched bool
}

// Lost tells that a missing message did not come in time. What waited for it is Ready. Should it come after all, it is
// Received, marked late.
type Lost struct {
	// MessageID is the SDS message.
	MessageID sds.MessageID
	// SenderID is who sent it, as far as whoever named it said so.
	SenderID sds.ParticipantID
}

// RepairRequested tells that we asked the other members for a missing message (SDS-R).
type RepairRequested struct {
	// MessageID is the SDS message.
	MessageID sds.MessageID
	// Asks is how often we have asked for it now.
	Asks int
}

// RepairAnswered tells that we broadcast a message again for a member who misses it (SDS-R).
type RepairAnswered struct {
	// MessageID is the SDS message.
	MessageID sds.MessageID
}

// SegmentsDropped tells that a payload in segments was given up: too few came in time, the memory for such payloads was full,
// or they did not fit together.
type SegmentsDropped struct {
	// MessageID names the payload.
	MessageID RequestID
	// SenderID is who sent it, as its segments say.
	SenderID sds.ParticipantID
	// Held is how many segments were there, Needed how many it takes; 0 if that is not known.
	Held, Needed int
	// Err says why.
	Err error
}

// Problem tells of something that the channel survives: a node that fails, a store that cannot be written. It is told when
// it begins, not each time that it happens again.
type Problem struct {
	// Err is what went wrong.
	Err error
}

// Name is "received".
func (Received) Name() string { return "received" }

// Name is "ready".
func (Ready) Name() string { return "ready" }

// Name is "sent".
func (Sent) Name() string { return "sent" }

// Name is "delivered".
func (Delivered) Name() string { return "delivered" }

// Name is "send-error".
func (SendError) Name() string { return "send-error" }

// Name is "delivery-error".
func (DeliveryError) Name() string { return "delivery-error" }

// Name is "replayed".
func (Replayed) Name() string { return "replayed" }

// Name is "possibly-delivered".
func (PossiblyDelivered) Name() string { return "possibly-delivered" }

// Name is "missing".
func (Missing) Name() string { return "missing" }

// Name is "recovered".
func (Recovered) Name() string { return "recovered" }

// Name is "lost".
func (Lost) Name() string { return "lost" }

// Name is "repair-requested".
func (RepairRequested) Name() string { return "repair-requested" }

// Name is "repair-answered".
func (RepairAnswered) Name() string { return "repair-answered" }

// Name is "segments-dropped".
func (SegmentsDropped) Name() string { return "segments-dropped" }

// Name is "problem".
func (Problem) Name() string { return "problem" }

func (Received) essential() bool          { return true }
func (Ready) essential() bool             { return true }
func (Sent) essential() bool              { return true }
func (Delivered) essential() bool         { return true }
func (SendError) essential() bool         { return true }
func (DeliveryError) essential() bool     { return true }
func (Replayed) essential() bool          { return true }
func (PossiblyDelivered) essential() bool { return false }
func (Missing) essential() bool           { return false }
func (Recovered) essential() bool         { return false }
func (Lost) essential() bool              { return false }
func (RepairRequested) essential() bool   { return false }
func (RepairAnswered) essential() bool    { return false }
func (SegmentsDropped) essential() bool   { return false }
func (Problem) essential() bool           { return false }

// eventBytes is about what an event takes beside its payload.
const eventBytes = 128

func (e Received) size() int        { return eventBytes + len(e.Payload) }
func (e Ready) size() int           { return eventBytes + len(e.Payload) }
func (Sent) size() int              { return eventBytes }
func (Delivered) size() int         { return eventBytes }
func (SendError) size() int         { return eventBytes }
func (DeliveryError) size() int     { return eventBytes }
func (Replayed) size() int          { return eventBytes }
func (PossiblyDelivered) size() int { return eventBytes }
func (Missing) size() int           { return eventBytes }
func (Recovered) size() int         { return eventBytes }
func (Lost) size() int              { return eventBytes }
func (RepairRequested) size() int   { return eventBytes }
func (RepairAnswered) size() int    { return eventBytes }
func (SegmentsDropped) size() int   { return eventBytes }
func (Problem) size() int           { return eventBytes }
