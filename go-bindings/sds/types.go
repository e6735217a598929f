package sds

import (
	"strconv"
	"time"
)

// MessageID names one message, for everybody and for ever.
type MessageID string

// ParticipantID names one installation of one member. The empty one equals nobody's.
type ParticipantID string

// Profile is a wire format. Both are always read; a channel writes one.
type Profile uint32

const (
	// ProfileDefault is the one of the Config in ChannelOptions, and ProfileRFC in a Config.
	ProfileDefault Profile = 0
	// ProfileRFC is RFC 109 as written, as spoken by @waku/sds.
	ProfileRFC Profile = 1
	// ProfileLibsds is what nim-sds speaks inside the Status app.
	ProfileLibsds Profile = 2
)

// String returns the name of the profile.
func (p Profile) String() string { return name("profile", int(p), "default", "rfc", "libsds") }

// Config is what a manager is made from. Begin with [DefaultConfig] and change what differs: zero is not the default of
// the limits and intervals, and most of them refuse it.
//
// Intervals count in whole milliseconds.
type Config struct {
	// ParticipantID says who we are. It is unique per installation, not per user. Default: empty, which equals
	// nobody's, so that no message is taken for our own.
	ParticipantID ParticipantID
	// Seed of all randomness, so that a run can be replayed. Default: nil, a seed from the operating system.
	Seed *uint64
	// Profile is the format that channels write, unless they are opened with another. Default: ProfileRFC.
	Profile Profile
	// AutoOpenChannels opens a channel when the first message for it is wrapped or received. Default: false, since
	// otherwise a stranger makes channels.
	AutoOpenChannels bool
	// SyncInLibsds sends sync messages in libsds channels too. Default: false, since nim-sds takes them for ordinary
	// messages.
	SyncInLibsds bool

	// CausalHistorySize is the number of message ids that a message names, and as many older ones at most that were
	// named less often than that; sync messages name twice as many again of what waits. Default: 3.
	CausalHistorySize int

	// MaxClockDriftRFC is how far ahead of the clock a timestamp may lie and still move ours, in rfc channels.
	// Default: 10 minutes.
	MaxClockDriftRFC time.Duration
	// MaxClockDriftLibsds is the same for libsds channels. Default: 7 days.
	MaxClockDriftLibsds time.Duration
	// ClockStep: a backward step of the host's clock by more than this shifts all deadlines. Default: 1 minute.
	ClockStep time.Duration

	// LogMessages is the number of messages in a channel's log. Default: 1,000.
	LogMessages int
	// LogBytes is how many bytes of whole messages a channel's log keeps for sending again. Default: 8 MiB.
	LogBytes int
	// SeenLimit is the number of ids remembered per channel after they left the log. Default: 20,000.
	SeenLimit int

	// BloomCapacity is the number of ids that a filter covers at most. Default: 10,000.
	BloomCapacity int
	// BloomErrorRate is a filter's false-positive rate at capacity. Default: 0.001.
	BloomErrorRate float64
	// AckWindow: a filter covers ids received this recently. Default: 10 minutes.
	AckWindow time.Duration
	// RefilterPerMinute is the number of duplicates of older messages that enter the filter again, per minute and
	// channel. Default: 64.
	RefilterPerMinute int
	// AckFalsePositive: a message is acknowledged once the chance that every filter hit for it was false is below
	// this. Default: 1e-6.
	AckFalsePositive float64
	// MaxAcknowledgers is the number of participants remembered by name per message as having it. Default: 64.
	MaxAcknowledgers int

	// ResendInterval is the wait before the first resend of an unacknowledged message; it doubles with each.
	// Default: 5 s.
	ResendInterval time.Duration
	// PossiblyResendInterval is the same for possibly acknowledged messages. Default: 15 s.
	PossiblyResendInterval time.Duration
	// MaxResends is the number of resends before a message is given up. Default: 5.
	MaxResends int
	// ResendJitterPercent is the random extra wait before a resend, in percent of the wait. Default: 20.
	ResendJitterPercent int
	// MaxUnacknowledged is the number of our messages that may wait to be acknowledged, per channel. Default: 10,000.
	MaxUnacknowledged int
	// MaxUnacknowledgedBytes limits the bytes of these, per channel. Default: 256 MiB.
	MaxUnacknowledgedBytes int

	// DependencyTimeout is the wait for missing messages before they are lost. Default: 10 minutes. With Repair, at
	// least twice RepairTMax and 30 s.
	DependencyTimeout time.Duration
	// MaxWaitingMessages is the number of messages that wait for others, per channel; beyond it the oldest is
	// delivered early. Default: 1,000.
	MaxWaitingMessages int
	// MaxWaitingBytes is how much they hold, per channel. Default: 8 MiB.
	MaxWaitingBytes int
	// MaxMissing is the number of missing ids that are tracked, per channel. Default: 4,096.
	MaxMissing int

	// SyncInterval is the least interval of periodic sync messages; it doubles while nothing is new. Default: 30 s.
	SyncInterval time.Duration
	// SyncIntervalMax is the greatest interval of periodic sync messages. Default: 30 minutes.
	SyncIntervalMax time.Duration
	// SyncConfirm is how soon a message that nobody was heard to confirm is confirmed: a quarter of this at the least,
	// and for about one member of a group of NumParticipants half of it; the others would follow later, ten times as
	// many with every five eighths of it.
	// Default: 2 s.
	SyncConfirm time.Duration

	// Repair lets the members repair among themselves what is missing, without a store (RFC 109, SDS-R). It needs a
	// ParticipantID; without one it is off. Where sync messages are off, requests ride on content only. Default: true.
	Repair bool
	// RepairTMin is T_min, the least time before a missing message is asked for; the same for all members.
	// Default: 30 s.
	RepairTMin time.Duration
	// RepairTMax is T_max, the greatest time before it is asked for, and before it is answered; the same for all
	// members. Default: 2 minutes.
	RepairTMax time.Duration
	// NumParticipants is about how many members are expected in a channel; the same for all of them. Each message is
	// answered by one of NumParticipants / 128 + 1 response groups. Default: 100.
	NumParticipants uint64
	// RepairRequestSize is the number of missing messages that one message asks for at most. Default: 3.
	RepairRequestSize int
	// RepairRequestInterval is the least time between two sync messages that go out only to ask. Default: 5 s.
	RepairRequestInterval time.Duration
	// RepairWindow is how long whole messages are kept to answer requests with. Default: 1 hour.
	RepairWindow time.Duration
	// MaxRepairAnswers is the number of others' requests that wait to be answered, per channel. Default: 256.
	MaxRepairAnswers int
	// RepairAnswersPerMinute is the number of others' requests that are taken up in a minute, per channel. Default: 64.
	RepairAnswersPerMinute int
	// RepairBytesPerMinute limits the bytes of the messages in these. Default: 2 MiB.
	RepairBytesPerMinute int

	// MaxMessageBytes limits an encoded message, sent or received. Default: 1 MiB.
	MaxMessageBytes int
	// MaxIDBytes limits a message, channel or participant id. Default: 256.
	MaxIDBytes int
	// MaxHistoryEntries limits a received causal history. Default: 1,024.
	MaxHistoryEntries int
	// MaxRepairEntries limits a received repair request. Default: 64.
	MaxRepairEntries int
	// MaxHintBytes limits a retrieval hint. Default: 1,024.
	MaxHintBytes int
	// MaxFilterBytes limits a received filter. Default: 128 KiB.
	MaxFilterBytes int

	// MaxChannels limits the channels of the manager, closed ones that were not forgotten included. Default: 100,000.
	MaxChannels int
	// MaxOutputs limits the outputs that wait to be drained; beyond it, calls that make more are refused with
	// ErrOutputsFull. Default: 65,536.
	MaxOutputs int
	// MaxOutputBytes limits the bytes of ids, hints, contents and transmissions in these, in the same way. Default:
	// 64 MiB.
	MaxOutputBytes int

	// StoredMessages is the number of messages of a channel's log that stay in a store, the latest by arrival, at least
	// LogMessages. Default: 100,000.
	StoredMessages uint64
	// Stored is how long they stay there, and up to a sixteenth longer, or until the channel is used next; 0: however
	// long. What memory holds (LogMessages) stays however old it is. Ages are told by the host's clock: one that
	// is far ahead when a message comes makes all others old. Default: 0.
	Stored time.Duration
	// UnloadAfter: a channel that was not used for this long leaves memory, where it can be read back from a store; 0:
	// never. Default: 10 minutes.
	UnloadAfter time.Duration
	// MaxUnconfirmedBytes limits the bytes of changes that wait to be stored, while the host does not confirm or the store
	// fails; beyond it, calls that make more are refused with ErrUnconfirmed. Default: 64 MiB.
	MaxUnconfirmedBytes int
}

// DefaultConfig returns the defaults of the library.
func DefaultConfig() Config {
	return cConfigInit()
}

// ChannelOptions says how a channel is opened. The zero value is the usual way.
type ChannelOptions struct {
	// Profile is the format that the channel writes.
	Profile Profile
	// FromNow begins the channel with the first message received: what lay before is neither waited for nor missing,
	// but told as BeforeUs.
	FromNow bool
	// DerivedIDs demands that every message id is derived from its message; others are refused with ErrIDMismatch.
	DerivedIDs bool
}

// HistoryEntry names a message that another one causally depends on.
type HistoryEntry struct {
	// MessageID is the message named.
	MessageID MessageID
	// RetrievalHint is what is needed to fetch it, such as the network's own hash of it; nil if there is none.
	RetrievalHint []byte
	// SenderID is who sent it, as far as whoever named it said so.
	SenderID ParticipantID
}

// Wrapped is a message ready to be broadcast.
type Wrapped struct {
	// MessageID is the id given, or the derived one.
	MessageID MessageID
	// Timestamp is its Lamport timestamp in milliseconds; 0 for an ephemeral message, which has none.
	Timestamp uint64
	// Data is what to broadcast. It belongs to the caller.
	Data []byte
	// Held is true if the bytes are held back until they are confirmed (see OpenExternal): nothing was added to Data, and
	// they come as a Transmit.
	Held bool
}

// Unwrapped is a received message, and what became of it.
type Unwrapped struct {
	// ChannelID is its channel.
	ChannelID string
	// MessageID is its id.
	MessageID MessageID
	// SenderID is who sent it; it may be empty.
	SenderID ParticipantID
	// Timestamp is its Lamport timestamp in milliseconds, if HasTimestamp.
	Timestamp uint64
	// HasTimestamp is false for ephemeral messages.
	HasTimestamp bool
	// Profile is the format that it came in.
	Profile Profile
	// Content is the payload, empty in sync messages. It belongs to the caller.
	Content []byte
	// Disposition is what became of the message.
	Disposition Disposition
	// Own is true if the sender id is ours.
	Own bool
	// Unmet are all messages that it depends on and that are not here now.
	Unmet []HistoryEntry
}

// UnwrapResult is the fate of one message of a batch.
type UnwrapResult struct {
	Unwrapped
	// Err is what UnwrapIncoming would have returned.
	Err error
}

// Disposition is what became of a received message.
type Disposition uint16

const (
	// DispositionDelivered: in causal order, show it.
	DispositionDelivered Disposition = 0
	// DispositionWaiting: it depends on messages not yet here. A host may show it, marked; Delivered follows.
	DispositionWaiting Disposition = 1
	// DispositionDuplicate: received before.
	DispositionDuplicate Disposition = 2
	// DispositionOwn: an echo of a message that we sent.
	DispositionOwn Disposition = 3
	// DispositionSync: a sync message, without content.
	DispositionSync Disposition = 4
	// DispositionEphemeral: show it; it is remembered nowhere.
	DispositionEphemeral Disposition = 5
	// DispositionBeforeUs: show it, though it depends on messages from before we joined.
	DispositionBeforeUs Disposition = 6
	// DispositionLate: show it; it had been given up as lost.
	DispositionLate Disposition = 7
)

// String returns the name of the disposition.
func (d Disposition) String() string {
	return name("disposition", int(d),
		"delivered", "waiting", "duplicate", "own", "sync", "ephemeral", "before us", "late")
}

// MessageState is how far a message of ours got.
type MessageState uint16

const (
	// StateUnacknowledged: nobody was heard to have it.
	StateUnacknowledged MessageState = 0
	// StatePossiblyAcknowledged: filters hold it, which is evidence and no proof.
	StatePossiblyAcknowledged MessageState = 1
	// StateAcknowledged: somebody has it.
	StateAcknowledged MessageState = 2
	// StateFailed: given up, nothing was heard of it.
	StateFailed MessageState = 3
	// StateUnconfirmed: given up, filters hold it.
	StateUnconfirmed MessageState = 4
	// StateCancelled: taken back by Cancel.
	StateCancelled MessageState = 5
)

// String returns the name of the state.
func (s MessageState) String() string {
	return name("state", int(s),
		"unacknowledged", "possibly acknowledged", "acknowledged", "failed", "unconfirmed", "cancelled")
}

// MessageStatus is what is known about one message of ours.
type MessageStatus struct {
	// State is how far it got.
	State MessageState
	// Probability is the chance that somebody has it, 0 to 1; 1 when acknowledged.
	Probability float64
	// Timestamp is its Lamport timestamp in milliseconds.
	Timestamp uint64
	// Resends is how often it was sent again so far.
	Resends int
	// Acknowledgers are the participants whose messages gave evidence of it, in the order heard, at most
	// Config.MaxAcknowledgers.
	Acknowledgers []Acknowledger
}

// Acknowledger is a participant that gave evidence of having a message of ours.
type Acknowledger struct {
	// ParticipantID is who.
	ParticipantID ParticipantID
	// Certain is true if it named the message in a causal history, and false if its filter held it.
	Certain bool
}

// ChannelStatus tells how much of a channel is here, and what is not.
type ChannelStatus struct {
	// Received counts messages with content delivered from others since the channel was first opened.
	Received uint64
	// Sent counts messages of ours since then.
	Sent uint64
	// Logged counts messages in the log now.
	Logged uint64
	// Missing counts missing messages now.
	Missing uint64
	// Lost counts messages given up as lost, and not come since.
	Lost uint64
	// Waiting counts messages that wait for others now.
	Waiting uint64
	// Unacknowledged counts messages of ours that wait to be acknowledged now, possibly acknowledged ones included.
	Unacknowledged uint64
	// PossiblyAcknowledged counts those of them that are possibly acknowledged.
	PossiblyAcknowledged uint64
	// GivenUp counts messages of ours given up, failed or unconfirmed, now.
	GivenUp uint64
	// Acknowledged counts messages of ours acknowledged since the channel was first opened.
	Acknowledged uint64
	// Held counts delivered messages kept outside the log because their timestamp lies too far ahead.
	Held uint64
	// Duplicates counts duplicates received.
	Duplicates uint64
	// DeliveredEarly counts messages delivered before those they depend on and before their own time: too many waited, or
	// the time of one that names them was up.
	DeliveredEarly uint64
	// FiltersRefused counts received filters that were refused.
	FiltersRefused uint64
	// MissingUntracked counts missing ids that were not tracked, because too many were.
	MissingUntracked uint64
	// RepairRequests counts missing messages that we will ask the others for, or ask for again (SDS-R).
	RepairRequests uint64
	// RepairAnswers counts requests of others that we will answer, should nobody else.
	RepairAnswers uint64
	// RepairsRequested counts requests of ours that went out, repeated ones included.
	RepairsRequested uint64
	// RepairsAnswered counts requests of others that we answered.
	RepairsAnswered uint64
	// Repaired counts missing messages that came after we had asked for them.
	Repaired uint64
	// RepairsRefused counts requests of others that we could have answered and did not take up, for their number or
	// size.
	RepairsRefused uint64
	// Timestamp is our Lamport timestamp, in milliseconds.
	Timestamp uint64
	// LogEvicted counts messages that left the log because Config.LogMessages were in it.
	LogEvicted uint64
	// WholeDropped counts whole messages dropped for Config.LogBytes and Config.MaxWaitingBytes: requests for them are
	// not answered. Names and contents stay.
	WholeDropped uint64
	// IDsForgotten counts ids forgotten for Config.SeenLimit: should they come again, they are new.
	IDsForgotten uint64
	// FilterEvicted counts ids that left our filter before their time for Config.BloomCapacity.
	FilterEvicted uint64
	// RefiltersRefused counts duplicates that did not re-enter the filter for Config.RefilterPerMinute.
	RefiltersRefused uint64
	// EvidenceDropped counts filters and participants that were not taken down as evidence for a message of ours, which
	// had enough of them.
	EvidenceDropped uint64
	// ConfirmationsDropped counts messages that were not remembered as to be confirmed, since 64 were; a sync message
	// confirms them all the same.
	ConfirmationsDropped uint64
	// NamingsDropped counts messages that too few histories named when 64 younger ones were in line: we name them no
	// more.
	NamingsDropped uint64
}

// Kind is what a message is for.
type Kind uint32

const (
	// KindContent: an ordinary message.
	KindContent Kind = 1
	// KindSync: a periodic sync message.
	KindSync Kind = 2
	// KindEphemeral: delivered at once and remembered nowhere.
	KindEphemeral Kind = 3
)

// String returns the name of the kind.
func (k Kind) String() string { return name("kind", int(k), "", "content", "sync", "ephemeral") }

// Inspection is what bytes hold, read without touching any state.
type Inspection struct {
	// Profile is the format of the bytes.
	Profile Profile
	// Kind is what the message is for.
	Kind Kind
	// ChannelID is its channel.
	ChannelID string
	// MessageID is its id.
	MessageID MessageID
	// SenderID is who sent it; it may be empty.
	SenderID ParticipantID
	// Timestamp is its Lamport timestamp in milliseconds, if HasTimestamp.
	Timestamp uint64
	// HasTimestamp is false for ephemeral messages.
	HasTimestamp bool
	// Content is the payload.
	Content []byte
	// History is its causal history.
	History []HistoryEntry
	// RepairRequests counts the messages that it asks for (SDS-R).
	RepairRequests int
	// Filter is what is known of its filter.
	Filter FilterInspection
}

// FilterState says whether a received filter can be used.
type FilterState uint32

const (
	// FilterNone: the message has no filter.
	FilterNone FilterState = 0
	// FilterOK: the filter is usable.
	FilterOK FilterState = 1
	// FilterRefused: the filter is not; the message is processed without it.
	FilterRefused FilterState = 2
)

// String returns the name of the state.
func (s FilterState) String() string { return name("filter state", int(s), "none", "ok", "refused") }

// FilterInspection is what is known of the filter of a message.
type FilterInspection struct {
	// State says whether it can be used. The numbers below, but for Bytes, are 0 if not.
	State FilterState
	// Hashes is the number of hash functions, k.
	Hashes int
	// Bits is the number of bits, m.
	Bits uint64
	// Capacity is the number of ids that it claims to be made for.
	Capacity uint64
	// Bytes is its size.
	Bytes int
	// Fill is the share of its bits that are set, 0 to 1.
	Fill float64
	// FalsePositiveRate is the chance that it holds an id that was never put in, 0 to 1.
	FalsePositiveRate float64
}

// LogLevel is how much the library writes to standard error.
type LogLevel uint32

const (
	// LogOff: nothing. The default.
	LogOff LogLevel = 0
	// LogError: what should not happen.
	LogError LogLevel = 1
	// LogWarn: also losses and messages given up.
	LogWarn LogLevel = 2
	// LogInfo: also channels opened and closed.
	LogInfo LogLevel = 3
	// LogDebug: also every refused message and every resend.
	LogDebug LogLevel = 4
)

// String returns the name of the level.
func (l LogLevel) String() string {
	return name("log level", int(l), "off", "error", "warn", "info", "debug")
}

// name returns the name of a value, also of one that a later library may know.
func name(what string, value int, names ...string) string {
	if value >= 0 && value < len(names) && names[value] != "" {
		return names[value]
	}
	return what + " " + strconv.Itoa(value)
}
