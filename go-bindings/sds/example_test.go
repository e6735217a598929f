package sds_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Alice sends two messages, of which the network loses the first. Bob notices, alice sends it again, and bob's answer tells
// her that both have arrived. A real program takes times from time.Now() and lets Run do the draining.
func Example() {
	now := time.UnixMilli(1_700_000_000_000)
	join := func(id sds.ParticipantID) *sds.Manager {
		config := sds.DefaultConfig()
		config.ParticipantID = id
		m, _ := sds.Open(config)
		_ = m.OpenChannel("tea", sds.ChannelOptions{}, now)
		return m
	}
	alice, bob := join("alice"), join("bob")
	defer alice.Close()
	defer bob.Close()

	_, _ = alice.WrapOutgoing("tea", "m1", []byte("Milk?"), now) // lost on its way
	now = now.Add(time.Second)
	second, _ := alice.WrapOutgoing("tea", "m2", []byte("Or lemon?"), now)
	got, _ := bob.UnwrapIncoming(second.Data, now)
	fmt.Printf("bob has %q: %v\n", got.Content, got.Disposition)
	show("bob", bob, nil)

	_ = alice.Tick(now.Add(6 * time.Second)) // nobody confirmed anything
	show("alice", alice, bob)
	show("bob", bob, nil)

	answer, _ := bob.WrapOutgoing("tea", "m3", []byte("Milk!"), now.Add(7*time.Second))
	_, _ = alice.UnwrapIncoming(answer.Data, now.Add(7*time.Second))
	show("alice", alice, bob)
	// Output:
	// bob has "Or lemon?": waiting
	// bob misses m1
	// alice sends m1 again
	// alice sends m2 again
	// bob now has "Or lemon?" in order
	// alice knows that m1 arrived
	// alice knows that m2 arrived
}

// show drains a manager; what it wants sent goes to the peer.
func show(name string, m, peer *sds.Manager) {
	outputs, _ := m.Drain()
	for _, output := range outputs {
		switch o := output.(type) {
		case sds.Transmit:
			fmt.Printf("%s sends %s again\n", name, o.MessageID)
			_, _ = peer.UnwrapIncoming(o.Data, time.UnixMilli(1_700_000_006_000))
		case sds.Missing:
			fmt.Printf("%s misses %s\n", name, o.MessageID)
		case sds.Delivered:
			fmt.Printf("%s now has %q in order\n", name, o.Content)
		case sds.Acknowledged:
			fmt.Printf("%s knows that %s arrived\n", name, o.MessageID)
		}
	}
}

// What the README quotes, word for word: tests/house compares the two.
func garden(ctx context.Context, packet []byte) error {
	config := sds.DefaultConfig()
	config.ParticipantID = "alice-phone"
	manager, err := sds.Open(config)
	if err != nil {
		return err
	}
	defer manager.Close()
	if err := manager.OpenChannel("garden", sds.ChannelOptions{}, time.Now()); err != nil {
		return err
	}
	wrapped, err := manager.WrapOutgoing("garden", "", []byte("hello"), time.Now())
	if err != nil {
		return err
	}
	fmt.Printf("broadcast %d bytes\n", len(wrapped.Data))
	received, err := manager.UnwrapIncoming(packet, time.Now()) // what the network brought
	if err != nil {
		return err
	}
	fmt.Printf("%s says %s (%v)\n", received.SenderID, received.Content, received.Disposition)
	return manager.Run(ctx, func(output sds.Output) {
		switch o := output.(type) {
		case sds.Transmit:
			fmt.Printf("broadcast %d bytes: %v\n", len(o.Data), o.Reason)
		case sds.Delivered:
			fmt.Printf("%s says %s\n", o.SenderID, o.Content)
		} // and others: see Output
	})
}

// And it does what it says.
func TestReadme(t *testing.T) {
	bob := openIn(t, "bob", "garden", sds.ChannelOptions{})
	packet := must[sds.Wrapped](t)(bob.WrapOutgoing("garden", "", []byte("Good morning"), time.Now())).Data
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := garden(ctx, packet); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
