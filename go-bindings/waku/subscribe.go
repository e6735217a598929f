package waku

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waku-org/go-waku/waku/v2/protocol"

	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// unsubscribeTimeout is how long a peer may take to hear that a subscription ends.
const unsubscribeTimeout = 5 * time.Second

// Subscribe brings what others publish under a content topic, until the context is done or the node stops.
//
// Errors: those of go-waku; without a peer that serves filter, of a light node.
func (n *Node) Subscribe(ctx context.Context, contentTopic string) (<-chan reliable.Message, error) {
	topic, err := n.pubsubTopic(contentTopic)
	if err != nil {
		return nil, err
	}
	filter := protocol.NewContentFilter(topic, contentTopic)
	if n.config.Light {
		return n.subscribeFilter(ctx, filter)
	}
	if n.node.Relay().PubSub() == nil {
		return nil, errors.New("waku: the node has no relay, or is not started")
	}
	ctx, end := context.WithCancel(ctx)
	subscriptions, err := n.node.Relay().Subscribe(ctx, filter)
	if err == nil && len(subscriptions) != 1 {
		err = fmt.Errorf("%d subscriptions for one topic", len(subscriptions))
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("waku: relay: %w", err)
	}
	// It ends when the context does, which go-waku looks after, or when the node stops.
	return n.forward(ctx, end, subscriptions[0].Ch, nil), nil
}

// subscribeFilter subscribes with a peer that serves filter. When it is gone the subscription ends, and is made again with
// another.
func (n *Node) subscribeFilter(ctx context.Context, filter protocol.ContentFilter) (<-chan reliable.Message, error) {
	light := n.node.FilterLightnode()
	ctx, end := context.WithCancel(ctx)
	subscriptions, err := light.Subscribe(ctx, filter)
	if err == nil && len(subscriptions) == 0 {
		err = errors.New("no peer took the subscription")
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("waku: filter: %w", err)
	}
	first := subscriptions[0]
	context.AfterFunc(ctx, func() {
		// The context is done, and the peer has to be told all the same.
		ctx, cancel := context.WithTimeout(context.Background(), unsubscribeTimeout)
		defer cancel()
		for _, each := range subscriptions {
			_, _ = light.UnsubscribeWithSubscription(ctx, each)
		}
	})
	return n.forward(ctx, end, first.C, first.Closing), nil
}

// forward passes messages on until the context is done, or the subscription ends.
//
// After the context it reads on, until go-waku has ended the subscription: for that go-waku takes a lock, under which it may
// wait for us to read, and all other subscriptions with it. A subscription that ends first is given back by ending the context:
// go-waku would keep it, and a new one beside it, until the channel is closed.
func (n *Node) forward(
	ctx context.Context, end context.CancelFunc, envelopes <-chan *protocol.Envelope, closing <-chan bool,
) <-chan reliable.Message {
	messages := make(chan reliable.Message, n.config.Buffer)
	go func() {
		ended := n.pass(ctx, envelopes, closing, messages)
		close(messages)
		end()
		for !ended {
			select {
			case <-closing:
				ended = true
			case _, open := <-envelopes:
				ended = !open
			}
		}
	}()
	return messages
}

// pass passes messages on; true if the subscription ended, false if the context is done. go-waku stands still while a
// subscriber does not read: what does not fit is dropped here.
func (n *Node) pass(
	ctx context.Context, envelopes <-chan *protocol.Envelope, closing <-chan bool, messages chan<- reliable.Message,
) (ended bool) {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-closing:
			return true
		case envelope, open := <-envelopes:
			if !open {
				return true
			}
			select {
			case messages <- reliable.Message{Hash: envelope.Hash().Bytes(), Payload: envelope.Message().Payload}:
			default:
				n.dropped.Add(1)
			}
		}
	}
}
