package sds

// Output is one thing that a manager wants done or known outside the call that caused it. It is one of [Transmit],
// [Delivered], [Missing], [Lost], [BeforeUs], [PossiblyAcknowledged], [Acknowledged], [Failed], [Unconfirmed],
// [RepairRequested], [RepairAnswered] and [Repaired], each as a value, not a pointer. Each fact is told once. Later
// versions may add types: skip those you do not know.
type Output interface {
	// Channel returns the channel that it concerns.
	Channel() string

	sealed()
}

// Reason says why bytes go out.
type Reason uint16

const (
	// ReasonResend: a message of ours that nobody confirmed (RFC 109, Periodic Outgoing Buffer Sweep).
	ReasonResend Reason = 1
	// ReasonSync: a periodic sync message (RFC 109, Periodic Sync Message).
	ReasonSync Reason = 2
	// ReasonRepairRequest: a sync message that asks for missing messages (RFC 109, SDS-R).
	ReasonRepairRequest Reason = 3
	// ReasonRepairAnswer: a message that somebody else asked for (RFC 109, SDS-R).
	ReasonRepairAnswer Reason = 4
	// ReasonPublish: a message of ours that goes out for the first time. It had to be stored before.
	ReasonPublish Reason = 5
)

// String returns the name of the reason.
func (r Reason) String() string {
	return name("reason", int(r), "", "resend", "sync", "repair request", "repair answer", "publish")
}

// Transmit asks to broadcast bytes in a channel.
type Transmit struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is the message in the bytes.
	MessageID MessageID
	// Reason is why they go out.
	Reason Reason
	// Data is the bytes. They belong to the receiver of the output.
	Data []byte
}

// Delivered tells that a message that waited for others is now in causal order. UnwrapIncoming returned its content
// before, with DispositionWaiting.
type Delivered struct {
	// ChannelID is its channel.
	ChannelID string
	// MessageID is its id.
	MessageID MessageID
	// SenderID is who sent it; it may be empty.
	SenderID ParticipantID
	// Timestamp is its Lamport timestamp in milliseconds.
	Timestamp uint64
	// Content is the payload. It belongs to the receiver of the output.
	Content []byte
	// Late is true if it had been given up as lost before it came.
	Late bool
	// Own is true if its sender id is ours, though we did not send it from this state.
	Own bool
}

// Missing tells that a message is named by others and was not received: fetch it by its hint, if there is one, and hand
// it to UnwrapIncoming.
type Missing struct {
	// ChannelID is its channel.
	ChannelID string
	HistoryEntry
}

// Lost tells that a missing message did not come within Config.DependencyTimeout. What waited for it is delivered. Should
// it come after all, it is delivered, marked late.
type Lost struct {
	// ChannelID is its channel.
	ChannelID string
	HistoryEntry
}

// BeforeUs tells of a message from before the channel was opened with ChannelOptions.FromNow: it is not waited for.
type BeforeUs struct {
	// ChannelID is its channel.
	ChannelID string
	HistoryEntry
}

// PossiblyAcknowledged tells that received filters hold a message of ours (RFC 109, Review ACK Status).
type PossiblyAcknowledged struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is our message.
	MessageID MessageID
	// Probability is the chance that somebody has it, 0 to 1.
	Probability float64
}

// Acknowledged tells that somebody has a message of ours (RFC 109, Review ACK Status).
type Acknowledged struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is our message.
	MessageID MessageID
}

// Failed tells that a message of ours was resent Config.MaxResends times, and nothing was heard of it. Retry sends it
// again; an acknowledgement that comes late still counts.
type Failed struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is our message.
	MessageID MessageID
}

// Unconfirmed tells the same as Failed, but filters hold the message: it was possibly acknowledged, and never more.
type Unconfirmed struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is our message.
	MessageID MessageID
	// Probability is the chance that somebody has it, 0 to 1.
	Probability float64
}

// RepairRequested tells that we asked the other members for a missing message, for the first time or again (RFC 109,
// SDS-R).
type RepairRequested struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is the missing message.
	MessageID MessageID
	// Asks is how often we have asked for it now.
	Asks int
}

// RepairAnswered tells that a message was broadcast again for somebody who asked for it (RFC 109, SDS-R). The bytes come
// as a Transmit of their own.
type RepairAnswered struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is the message.
	MessageID MessageID
}

// Repaired tells that a missing message that we had asked for is here; or, in a libsds channel, that it turned out to have
// no content (RFC 109, SDS-R).
type Repaired struct {
	// ChannelID is the channel.
	ChannelID string
	// MessageID is the message.
	MessageID MessageID
}

// Channel returns the channel to broadcast in.
func (o Transmit) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Delivered) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Missing) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Lost) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o BeforeUs) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o PossiblyAcknowledged) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Acknowledged) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Failed) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Unconfirmed) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o RepairRequested) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o RepairAnswered) Channel() string { return o.ChannelID }

// Channel returns the channel of the message.
func (o Repaired) Channel() string { return o.ChannelID }

func (Transmit) sealed()             {}
func (Delivered) sealed()            {}
func (Missing) sealed()              {}
func (Lost) sealed()                 {}
func (BeforeUs) sealed()             {}
func (PossiblyAcknowledged) sealed() {}
func (Acknowledged) sealed()         {}
func (Failed) sealed()               {}
func (Unconfirmed) sealed()          {}
func (RepairRequested) sealed()      {}
func (RepairAnswered) sealed()       {}
func (Repaired) sealed()             {}
