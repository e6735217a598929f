//go:build go1.25

package sds_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// What docs/status-go.md says of fleets in which not everybody has this engine, and of users with several devices.

// Messages that libsds wrote are taken in, with what they depend on.
func TestMessagesOfLibsds(t *testing.T) {
	var vectors struct {
		Messages []struct {
			Name, ID, Channel, Content, Wire string
			History                          []struct{ ID, Hint string }
		}
	}
	data := must[[]byte](t)(os.ReadFile("../../../tests/vectors/libsds.json"))
	check(t, json.Unmarshal(data, &vectors))
	taken := 0
	for _, message := range vectors.Messages {
		if message.ID == "" || message.Channel == "" || message.Content == "" {
			continue // libsds writes them, but its users do not
		}
		rm := must[*sds.ReliabilityManager](t)(sds.NewReliabilityManager(nil))
		u, err := rm.UnwrapReceivedMessage(must[[]byte](t)(hex.DecodeString(message.Wire)))
		check(t, rm.Cleanup())
		if err != nil {
			t.Errorf("%s: %v", message.Name, err)
			continue
		}
		taken++
		same(t, message.Name, hex.EncodeToString(*u.Message), message.Content)
		same(t, message.Name, *u.ChannelId, message.Channel)
		missing := *u.MissingDeps
		for _, named := range message.History {
			if named.ID == "" {
				continue
			}
			if len(missing) == 0 {
				t.Errorf("%s: %s is not missing", message.Name, named.ID)
				break
			}
			same(t, message.Name, missing[0].MessageID, named.ID)
			same(t, message.Name, hex.EncodeToString(missing[0].RetrievalHint), named.Hint)
			missing = missing[1:]
		}
	}
	if taken < 5 {
		t.Errorf("%d messages", taken)
	}
}

// A channel that was opened by name writes another format; members read both. Back to that of libsds leads only by
// forgetting it, with a history that the program knows.
func TestFormatPerChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t, as("alice")), join(t, as("bob"))
		rfc := engine.ChannelOptions{Profile: engine.ProfileRFC}
		libsds := engine.ChannelOptions{Profile: engine.ProfileLibsds}
		writes := func(i int, want engine.Profile) {
			t.Helper()
			data := alice.wrap(i)
			same(t, "format", must[engine.Inspection](t)(engine.Inspect(data)).Profile, want)
			same(t, "missing", bob.unwrap(data, i), []string{})
		}
		check(t, alice.Engine().OpenChannel(channel, rfc, time.Now()))
		writes(1, engine.ProfileRFC)
		bob.says("ready 1") // whose channel writes that of libsds
		same(t, "bob's", must[engine.Inspection](t)(engine.Inspect(bob.wrap(2))).Profile, engine.ProfileLibsds)

		if err := alice.Engine().OpenChannel(channel, libsds, time.Now()); !errors.Is(err, engine.ErrChannelOptionsDiffer) {
			t.Error(err)
		}
		check(t, alice.Engine().ForgetChannel(channel))
		check(t, alice.Engine().OpenChannel(channel, libsds, time.Now()))
		known := []engine.KnownMessage{{MessageID: engine.MessageID(id(1)), Timestamp: uint64(time.Now().UnixMilli())}}
		must[int](t)(alice.Engine().SeedHistory(channel, known, time.Now()))
		writes(3, engine.ProfileLibsds)
		history := must[engine.Inspection](t)(engine.Inspect(alice.wrap(3))).History
		same(t, "named", history[0].MessageID, id(1))
	})
}

// A user's devices are participants like others: each acknowledges what another one sends, and may send what another one
// sent before.
func TestDevicesOfOneUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phone, laptop, bob := join(t, as("alice-phone")), join(t, as("alice-laptop")), join(t, as("bob"))
		data := phone.wrap(1)
		laptop.unwrap(data, 1)
		laptop.says("ready 1")
		phone.unwrap(laptop.wrap(2), 2)
		phone.says("ready 2", "sent 1")

		// The same payload has the same id.
		again := laptop.wrap(1)
		phone.unwrap(again, 1)
		phone.says()
		bob.unwrap(again, 1)
		bob.says("ready 1")
		bob.unwrap(data, 1)
		bob.says()
	})
}

// Two devices under one participant id: all is shown, but neither acknowledges the other's messages.
func TestDevicesUnderOneID(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		phone, laptop := join(t, as("alice")), join(t, as("alice"))
		laptop.unwrap(phone.wrap(1), 1)
		laptop.says("ready 1")
		phone.unwrap(laptop.wrap(2), 2)
		phone.says("ready 2")
	})
}

// Members without an identity and members with one acknowledge each other.
func TestIdentitiesMix(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t, as("alice")), join(t)
		bob.unwrap(alice.wrap(1), 1)
		bob.says("ready 1")
		alice.unwrap(bob.wrap(2), 2)
		alice.says("ready 2", "sent 1")
		bob.unwrap(alice.wrap(3), 3)
		bob.says("ready 3", "sent 2")
	})
}
