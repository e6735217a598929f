package chatnet

import (
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Kind says what an Event tells.
type Kind int

const (
	// Sent: we said something. ID, Sender, Text, Timestamp.
	Sent Kind = iota + 1
	// Waiting: a message came that depends on others which did not. ID, Sender, Text, Timestamp.
	Waiting
	// Delivered: a message of another is in order. ID, Sender, Text, Timestamp.
	Delivered
	// PossiblyAcknowledged, Acknowledged, Failed, Unconfirmed: how far our message got. ID.
	PossiblyAcknowledged
	Acknowledged
	Failed
	Unconfirmed
	// Resent: our message went out again. ID.
	Resent
	// Missing: we learned that we miss a message. ID.
	Missing
	// Recovered: a missing message came. ID, Via, After.
	Recovered
	// Lost: a missing message did not come in time; it is still asked for. ID.
	Lost
	// Status: the counts changed. Status, Counters.
	Status
	// Joined, Left: somebody came or went. Sender.
	Joined
	Left
	// Problem: something went wrong that the participant survives. Text.
	Problem
)

// Via is the way on which a missing message came.
type Via string

const (
	// ViaNetwork: by itself, as a resend or because it was only late.
	ViaNetwork Via = "network"
	// ViaStore: because we asked for it by its hint.
	ViaStore Via = "store"
)

// Event is what a participant tells those who watch.
type Event struct {
	Kind Kind
	// Node is the name of the participant that tells it, At when.
	Node string
	At   time.Time

	ID        string
	Sender    string
	Text      string
	Timestamp uint64
	Via       Via
	After     time.Duration
	Status    sds.ChannelStatus
	Counters  Counters
}
