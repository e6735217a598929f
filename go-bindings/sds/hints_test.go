package sds_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// The provider is asked for what the next message names, and what it knows is in that message.
func TestProvideHints(t *testing.T) {
	alice, _ := pair(t)
	for i := range 5 {
		wrap(t, alice, sds.MessageID(fmt.Sprint("m", i)), epoch)
	}
	check(t, alice.SetRetrievalHint(channel, "m3", []byte("known")))
	ask := func(hints map[sds.MessageID]string) error {
		var asked []string
		err := alice.ProvideHints(channel, func(id sds.MessageID) []byte {
			asked = append(asked, string(id))
			must[[]string](t)(alice.Channels()) // it may use the manager
			return []byte(hints[id])
		})
		if got := strings.Join(asked, " "); got != "m2 m3 m4" {
			t.Errorf("asked for %s", got)
		}
		return err
	}
	expect := func(want string) {
		t.Helper()
		got := ""
		for _, entry := range must[[]sds.HistoryEntry](t)(alice.NextHistory(channel)) {
			got += fmt.Sprintf("%s=%s ", entry.MessageID, entry.RetrievalHint)
		}
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	check(t, ask(map[sds.MessageID]string{"m2": "two"}))
	expect("m2=two m3=known m4= ")
	err := ask(map[sds.MessageID]string{"m2": strings.Repeat("x", 5000), "m3": "new", "m4": strings.Repeat("y", 5000)})
	if !errors.Is(err, sds.ErrTooLarge) || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two errors are %v", err)
	}
	expect("m2=two m3=new m4= ")
	err = alice.ProvideHints("another", func(sds.MessageID) []byte { t.Error("asked"); return nil })
	refused(t, "another channel", err, sds.ErrUnknownChannel)
}

// A hint that is known already is not stored again.
func TestProvideHintsStoresWhatIsNew(t *testing.T) {
	host := must[*sds.Manager](t)(sds.OpenExternal(as("alice"), nil, epoch))
	defer host.Close()
	check(t, host.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	must[sds.Wrapped](t)(host.WrapOutgoing(channel, "m", []byte("content"), epoch))
	provide := func() int {
		check(t, host.ProvideHints(channel, func(sds.MessageID) []byte { return []byte("hint") }))
		offer := must[sds.Offer](t)(host.Offer())
		if offer.Number != 0 {
			check(t, host.Confirm(offer.Number))
		}
		return len(offer.Writes)
	}
	if provide() == 0 || provide() != 0 {
		t.Error("stored, and stored again")
	}
}

// A message that waits for others has its hint at once, and keeps it over a restart, until it is delivered and named.
func TestTheHintOfAWaitingMessageOutlivesTheProcess(t *testing.T) {
	path := storePath(t)
	bob := openIn(t, "bob", channel, sds.ChannelOptions{})
	missed := wrap(t, bob, "missed", epoch).Data
	waits := wrap(t, bob, "waits", after(time.Second)).Data
	alice := openStore(t, path, epoch)
	check(t, alice.OpenChannel(channel, sds.ChannelOptions{}, epoch))
	if got := unwrap(t, alice, waits, after(time.Second)); got.Disposition != sds.DispositionWaiting {
		t.Fatal(got.Disposition)
	}
	check(t, alice.SetRetrievalHint(channel, "waits", []byte("hint")))
	check(t, alice.Close())

	alice = openStore(t, path, after(time.Minute))
	unwrap(t, alice, missed, after(time.Minute))
	next := must[sds.Inspection](t)(sds.Inspect(wrap(t, alice, "next", after(time.Minute)).Data))
	if len(next.History) != 2 || next.History[1].MessageID != "waits" || string(next.History[1].RetrievalHint) != "hint" {
		t.Errorf("%+v", next.History)
	}
}

// A token is there after a call that may have made something, and for each such call; after those that cannot, there is none.
func TestWake(t *testing.T) {
	var none *sds.Manager
	if none.Wake() != nil {
		t.Error("a nil manager wakes")
	}
	alice, bob := pair(t)
	woken := func(m *sds.Manager) bool {
		select {
		case <-m.Wake():
			return true
		default:
			return false
		}
	}
	woken(alice)
	woken(bob)
	data := wrap(t, alice, "m", epoch).Data
	unwrap(t, bob, data, epoch)
	must[[]sds.Output](t)(alice.Drain())
	for name, m := range map[string]*sds.Manager{"wrap": alice, "unwrap": bob} {
		if !woken(m) || woken(m) {
			t.Errorf("after %s there is not one token", name)
		}
	}
	must[[]sds.Output](t)(alice.Drain())
	_, _, err := alice.NextDeadline()
	check(t, err)
	if woken(alice) {
		t.Error("woken by looking")
	}
	check(t, alice.Close())
	if !woken(alice) {
		t.Error("not woken by Close")
	}
}
