package waku

import (
	"context"
	"testing"
	"time"

	"github.com/waku-org/go-waku/waku/v2/protocol"
)

// A subscription whose context is done is read until go-waku has ended it, which it cannot while it waits for us to read.
func TestASubscriptionIsReadUntilItEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	envelopes := make(chan *protocol.Envelope)
	messages := (&Node{config: Config{Buffer: 1}}).forward(ctx, envelopes, nil)
	cancel()
	if _, open := <-messages; open {
		t.Fatal("a message that nobody sent")
	}
	for range 3 {
		select {
		case envelopes <- nil:
		case <-time.After(patience):
			t.Fatal("nobody reads")
		}
	}
	close(envelopes)
}

// Of a light node, go-waku tells under a lock that the peer is gone: somebody has to listen after the context is done, too.
func TestTheEndOfASubscriptionIsTakenAfterItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	closing := make(chan bool)
	messages := (&Node{config: Config{Buffer: 1}}).forward(ctx, make(chan *protocol.Envelope), closing)
	cancel()
	if _, open := <-messages; open {
		t.Fatal("a message that nobody sent")
	}
	select {
	case closing <- true:
	case <-time.After(patience):
		t.Fatal("nobody listens")
	}
}
