package reliable

import (
	"context"
	"time"
)

// Message is a payload that came over the network, and the network's own hash of the message that carried it.
type Message struct {
	// Hash is what a store knows the message by; others get it as retrieval hint. Nil if the network has none.
	Hash []byte
	// Payload is what was published. It is only read.
	Payload []byte
}

// Node is the messaging network as a host has it: a Waku node, a broker, a bus in a test. Its methods are called from
// goroutines of the [Client], one Publish and one Fetch at a time; they must return soon after their context is done, since
// Close waits for them.
type Node interface {
	// Publish broadcasts a payload under a content topic and returns the network's hash of the message that carries it; nil
	// if there is none. The timestamp is that of the envelope. It is never the same twice: networks drop an envelope that
	// equals a recent one, and a resend has the same payload if there is no encryption. The payload belongs to the node.
	//
	// After an error it is tried again, later: see Config.PublishAttempts.
	Publish(ctx context.Context, contentTopic string, payload []byte, timestamp time.Time) (hash []byte, err error)

	// Subscribe brings everything that others publish under a content topic, until the context is done. Messages of our
	// own may come too. While the application does not read its events nothing is taken from the channel: a node drops what
	// does not fit, and it is noticed and fetched later. A channel that the node closes is subscribed again, at first
	// after a second and then less and less, and not while the client is offline or paused.
	Subscribe(ctx context.Context, contentTopic string) (<-chan Message, error)

	// Fetch asks a store for messages by their hashes, at most Config.FetchBatch at once. It returns those that it found, in
	// any order, each with the Hash by which it was asked for. The hashes are what others say they are: any bytes, up to
	// sds.Config.MaxHintBytes each.
	//
	// After an error all are asked for again later. errors.ErrUnsupported says that there is no store: it is no problem that
	// is told, and the node is asked again after a minute, should it have been given one.
	Fetch(ctx context.Context, hashes [][]byte) ([]Message, error)
}

// Encryption is a hook for payloads: what goes out is encrypted after SDS and before the tag, and the other way in.
type Encryption interface {
	// Encrypt is called for each publication, resends included. The result may share memory with nothing.
	Encrypt(plain []byte) ([]byte, error)
	// Decrypt fails for what was not encrypted for us, or was tampered with: then the message is dropped and counted.
	Decrypt(encrypted []byte) ([]byte, error)
}
