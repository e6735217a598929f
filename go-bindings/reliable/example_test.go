package reliable_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/lossy"
	"github.com/status-im/sds-rs/go-bindings/internal/memnet"
	"github.com/status-im/sds-rs/go-bindings/reliable"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Alice says something, and Bob answers. His answer names hers, and so tells her that it arrived.
func Example() {
	network := memnet.New(1, lossy.Options{})
	const topic = "/my-app/1/garden/proto"
	join := func(id sds.ParticipantID) *reliable.Channel {
		channel, err := reliable.CreateReliableChannel(network.Node(string(id)), "garden", topic, id, nil)
		if err != nil {
			panic(err)
		}
		return channel
	}
	alice, bob := join("alice-phone"), join("bob-laptop")
	defer alice.Close()
	defer bob.Close()

	_, _ = alice.Send([]byte("Is the kettle on?"))
	for event := range bob.Events() {
		if e, ok := event.(reliable.Received); ok {
			fmt.Printf("%s says %q\n", e.SenderID, e.Payload)
			break
		}
	}
	_, _ = bob.Send([]byte("It is."))
	for event := range alice.Events() {
		switch e := event.(type) {
		case reliable.Sent:
			fmt.Println("alice's is on its way")
		case reliable.Received:
			fmt.Printf("%s says %q\n", e.SenderID, e.Payload)
		case reliable.Delivered:
			fmt.Println("alice's has arrived")
			return
		}
	}
	// Unordered output:
	// alice-phone says "Is the kettle on?"
	// alice's is on its way
	// bob-laptop says "It is."
	// alice's has arrived
}

// What the README quotes, word for word: tests/house compares the two.
func garden(ctx context.Context, node reliable.Node) error {
	channel, err := reliable.CreateReliableChannel(node, "garden", "/my-app/1/garden/proto", "alice-phone", nil)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = channel.Close() })
	id, err := channel.Send([]byte("hello")) // at once; what becomes of it is told below
	if err != nil {
		return err
	}
	for event := range channel.Events() {
		switch e := event.(type) {
		case reliable.Received: // e.Pending: something that it depends on is still being fetched
			fmt.Printf("%s says %s\n", e.SenderID, e.Payload)
		case reliable.Delivered:
			fmt.Printf("somebody has it: %v\n", e.RequestID == id)
		case reliable.DeliveryError:
			fmt.Printf("%s: %v\n", e.RequestID, e.Err)
		case reliable.SyncStatus:
			fmt.Printf("%d missing, %d lost\n", e.Missing, e.Lost)
		} // and others: see Event
	}
	return channel.Close()
}

// A node over anything that broadcasts: here, over two functions.
type bus struct {
	send    func(topic string, payload []byte, stamp time.Time) (hash []byte)
	receive <-chan reliable.Message
}

func (b bus) Publish(_ context.Context, topic string, payload []byte, stamp time.Time) ([]byte, error) {
	return b.send(topic, payload, stamp), nil
}

func (b bus) Subscribe(context.Context, string) (<-chan reliable.Message, error) {
	return b.receive, nil
}

func (b bus) Fetch(context.Context, [][]byte) ([]reliable.Message, error) {
	return nil, errors.ErrUnsupported // there is no store: the members repair among themselves
}

func ExampleNode() {
	published := make(chan []byte, 1)
	node := bus{send: func(_ string, payload []byte, _ time.Time) []byte {
		published <- payload
		return nil
	}}
	channel, err := reliable.CreateReliableChannel(node, "garden", "/my-app/1/garden/proto", "alice-phone", nil)
	if err != nil {
		panic(err)
	}
	defer channel.Close()
	_, _ = channel.Send([]byte("hello"))
	fmt.Printf("%.22s\n", <-published)
	// Output: RELIABLE-CHANNEL-API/1
}
