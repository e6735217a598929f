package waku

import (
	"context"
	"testing"
	"time"

	"github.com/waku-org/go-waku/waku/v2/protocol"
	wakupb "github.com/waku-org/go-waku/waku/v2/protocol/pb"
	"github.com/waku-org/go-waku/waku/v2/protocol/relay"
)

// A subscription whose context is done is read until go-waku has ended it, which it cannot while it waits for us to read.
func TestASubscriptionIsReadUntilItEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	envelopes := make(chan *protocol.Envelope)
	messages := (&Node{config: Config{Buffer: 1}}).forward(ctx, cancel, envelopes, nil)
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
	messages := (&Node{config: Config{Buffer: 1}}).forward(ctx, cancel, make(chan *protocol.Envelope), closing)
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

// A subscription that ends by itself is given back at once, not when the channel is closed: there will be one after the other.
func TestASubscriptionThatEndedIsGivenBack(t *testing.T) {
	for name, over := range map[string]func(envelopes chan *protocol.Envelope, closing chan bool){
		"the peer is gone": func(_ chan *protocol.Envelope, closing chan bool) { closing <- true },
		"the node is gone": func(envelopes chan *protocol.Envelope, _ chan bool) { close(envelopes) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		envelopes, closing := make(chan *protocol.Envelope), make(chan bool)
		messages := (&Node{config: Config{Buffer: 1}}).forward(ctx, cancel, envelopes, closing)
		over(envelopes, closing)
		if _, open := <-messages; open {
			t.Fatal("a message that nobody sent")
		}
		select {
		case <-ctx.Done():
		case <-time.After(patience):
			t.Errorf("%s: it is kept", name)
		}
	}
}

// The same with go-waku itself: while a subscriber that left has not unsubscribed yet, others get what comes.
func TestGoWakuIsNotHeldUpByASubscriberThatLeft(t *testing.T) {
	broadcaster := relay.NewBroadcaster(0)
	check(t, broadcaster.Start(t.Context()))
	defer broadcaster.Stop()
	all := protocol.NewContentFilter(pubsubTopic)
	leaving, staying := broadcaster.Register(all), broadcaster.Register(all)
	ctx, cancel := context.WithCancel(t.Context())
	messages := (&Node{config: Config{Buffer: 1}}).forward(ctx, cancel, leaving.Ch, nil)
	cancel()
	for range messages {
	}
	go func() {
		for i := range 10 {
			message := &wakupb.WakuMessage{Payload: []byte{byte(i)}, ContentTopic: contentTopic("general")}
			broadcaster.Submit(protocol.NewEnvelope(message, 0, pubsubTopic))
		}
	}()
	for i := range 10 {
		select {
		case <-staying.Ch:
		case <-time.After(patience):
			t.Fatalf("go-waku stands still after %d", i)
		}
	}
	leaving.Unsubscribe()
}
