package sds

import "github.com/waku-org/sds-go-bindings/engine"

// MessageID names one message, for everybody and for ever.
type MessageID string

// HistoryEntry names a message that another one causally depends on.
type HistoryEntry struct {
	// MessageID is the message named.
	MessageID MessageID `json:"messageId"`
	// RetrievalHint is what is needed to fetch it; nil if there is none.
	RetrievalHint []byte `json:"retrievalHint"`
}

// UnwrappedMessage is a received message. None of its pointers is nil.
type UnwrappedMessage struct {
	// Message is the payload; empty in a sync message. It belongs to the caller.
	Message *[]byte `json:"message"`
	// MissingDeps are all messages that it depends on and that are not here now; empty if there are none.
	MissingDeps *[]HistoryEntry `json:"missingDeps"`
	// ChannelId is its channel.
	ChannelId *string `json:"channelId"`
}

// EventCallbacks are called when something happened, on a goroutine of the manager. Any of them may be nil.
type EventCallbacks struct {
	// OnMessageReady: a received message is in causal order, at once or after it waited. Once per message, and never for
	// an echo of our own.
	OnMessageReady func(messageId MessageID, channelId string)
	// OnMessageSent: somebody has a message of ours. Once per message.
	OnMessageSent func(messageId MessageID, channelId string)
	// OnMissingDependencies: a received message depends on messages that are not here: these. Once per message.
	OnMissingDependencies func(messageId MessageID, missingDeps []HistoryEntry, channelId string)
	// OnPeriodicSync: at once after StartPeriodicTasks, and every 30 s after that: time to say something.
	OnPeriodicSync func()
	// RetrievalHintProvider is asked by WrapOutgoingMessage, on the goroutine of its caller, for what is needed to fetch a
	// message that is about to be named; nil if that is not known.
	RetrievalHintProvider func(messageId MessageID) []byte
}

// unwrapped is all that UnwrapReceivedMessage returns but for the payload, in one allocation.
type unwrapped struct {
	UnwrappedMessage
	message   []byte
	missing   []HistoryEntry
	channelID string
}

func newUnwrapped(u *engine.Unwrapped) *UnwrappedMessage {
	all := &unwrapped{message: u.Content, missing: entries(u.Unmet), channelID: u.ChannelID}
	all.UnwrappedMessage = UnwrappedMessage{Message: &all.message, MissingDeps: &all.missing, ChannelId: &all.channelID}
	return &all.UnwrappedMessage
}

// entries is never nil, so that it is [] in JSON.
func entries(history []engine.HistoryEntry) []HistoryEntry {
	named := make([]HistoryEntry, 0, len(history))
	for _, entry := range history {
		named = append(named, HistoryEntry{MessageID(entry.MessageID), entry.RetrievalHint})
	}
	return named
}
