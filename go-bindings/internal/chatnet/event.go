package chatnet

import (
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Kind says what an Event tells.
type Kind int

const (
	// Sent: we said something. ID, Sender, Text, Timestamp, History.
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
	// Asked: we asked the others for a missing message (SDS-R). ID.
	Asked
	// Answered: we broadcast a message that somebody asked for (SDS-R). ID.
	Answered
	// Lost: a missing message did not come in time; it is still asked for. ID.
	Lost
	// Status: the counts changed. Status, Counters.
	Status
	// Logged: we leave, and this is the log of our engine. Log.
	Logged
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
	// ViaRepair: because a member asked the others for it, be it we or somebody else (SDS-R).
	ViaRepair Via = "other members"
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
	// History is the ids that the message names in its causal history.
	History  []string
	Via      Via
	After    time.Duration
	Status   sds.ChannelStatus
	Counters Counters
	// Log is in the order of the engine.
	Log []Logline
}
