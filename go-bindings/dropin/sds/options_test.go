//go:build go1.25

package sds_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// What is there beyond the old API.

// transmits are the messages among outputs that are to be broadcast, and their bytes.
func transmits(outputs []engine.Output) (ids []string, data [][]byte) {
	for _, output := range outputs {
		if o, ok := output.(engine.Transmit); ok {
			ids = append(ids, o.Reason.String()+" "+short(sds.MessageID(o.MessageID)))
			data = append(data, o.Data)
		}
	}
	return ids, data
}

func TestIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := join(t, as("alice-phone"))
		data := alice.wrap(1)
		same(t, "sender", must[engine.Inspection](t)(engine.Inspect(data)).SenderID, "alice-phone")
		// Another device of hers is another participant; one that lost its state gets its message as one of its own.
		laptop, again := join(t, as("alice-laptop")), join(t, as("alice-phone"))
		laptop.unwrap(data, 1)
		laptop.says("ready 1")
		again.unwrap(data, 1)
		again.says("ready 1")
		alice.unwrap(laptop.wrap(2), 2)
		alice.says("ready 2", "sent 1")
	})
}

// What nobody confirmed is sent again, with backoff, and given up: each is handed out, and what is given up is logged.
func TestResends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		config := sds.DefaultConfig()
		config.ResendJitterPercent, config.MaxResends = 0, 2
		alice := join(t, as("alice"), func(o *sds.Options) { o.Config, o.Logger = &config, zap.New(core) })
		bob := join(t)
		data := alice.wrap(1)
		time.Sleep(5*time.Second - time.Millisecond)
		same(t, "before 5 s", alice.seen(), []string{})
		time.Sleep(time.Millisecond)
		ids, again := transmits(alice.seen())
		same(t, "after 5 s", ids, []string{"resend 1"})
		same(t, "the same bytes", again[0], data)
		time.Sleep(10 * time.Second)
		ids, _ = transmits(alice.seen())
		same(t, "after 15 s", ids, []string{"resend 1"})
		time.Sleep(20 * time.Second)
		outputs := alice.seen()
		if _, failed := outputs[0].(engine.Failed); len(outputs) != 1 || !failed {
			t.Errorf("%#v", outputs)
		}
		same(t, "logged", logs.Len(), 1)
		check(t, alice.Engine().Retry(channel, engine.MessageID(id(1)), time.Now()))
		ids, again = transmits(alice.seen())
		same(t, "retried", ids, []string{"resend 1"})
		bob.unwrap(again[0], 1)
		alice.says()
		alice.unwrap(bob.wrap(2), 2)
		alice.says("ready 2", "sent 1")
	})
}

// More than fits is due at once: all of it comes, and nothing is wrong.
func TestManyResends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		config := sds.DefaultConfig()
		config.MaxOutputs, config.ResendJitterPercent = 16, 0
		alice := join(t, func(o *sds.Options) { o.Config, o.Logger = &config, zap.New(core) })
		for i := range 100 {
			alice.wrap(i)
		}
		time.Sleep(6 * time.Second)
		ids, _ := transmits(alice.seen())
		same(t, "resends", len(ids), 100)
		same(t, "logged", logs.Len(), 0)
	})
}

// What one member misses, another one sends again when it is asked.
func TestRepairs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob, carol := join(t, as("alice")), join(t, as("bob")), join(t, as("carol"))
		first := alice.wrap(1)
		bob.unwrap(first, 1)
		second := alice.wrap(2)
		bob.unwrap(second, 2)
		same(t, "missing", carol.unwrap(second, 2), []string{"1"})
		carol.says("missing 1 of 2")
		check(t, alice.Cleanup()) // she is gone
		// By T_max carol asks, with the next message that she has to send.
		time.Sleep(2 * time.Minute)
		bob.unwrap(carol.wrap(3), 3)
		bob.seen()
		time.Sleep(2 * time.Minute)
		ids, data := transmits(bob.seen())
		if len(data) == 0 || ids[0] != "repair answer 1" {
			t.Fatal(ids)
		}
		carol.unwrap(data[0], 1)
		carol.says("ready 1", "ready 2")
	})
}

// What was missing too long is lost, which is logged, and what waited for it is ready.
func TestLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		alice, bob := join(t), join(t, func(o *sds.Options) { o.Logger = zap.New(core) })
		first := alice.wrap(1)
		bob.unwrap(alice.wrap(2), 2)
		bob.says("missing 1 of 2")
		time.Sleep(10 * time.Minute)
		bob.says("ready 2")
		same(t, "logged", logs.Len(), 1)
		bob.unwrap(first, 1) // late
		bob.says("ready 1")
	})
}

func TestConfigIsChecked(t *testing.T) {
	config := sds.DefaultConfig()
	config.MaxIDBytes = 0
	if rm, err := sds.NewReliabilityManagerWith(sds.Options{Config: &config}); !errors.Is(err, engine.ErrInvalidConfig) || rm != nil {
		t.Error(rm, err)
	}
}

// A config that was made for another participant, or closes channels to strangers, still makes a drop-in.
func TestConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := engine.DefaultConfig()
		config.ParticipantID, config.Profile = "of the config", engine.ProfileRFC
		alice := join(t, func(o *sds.Options) { o.Config = &config })
		inspection := must[engine.Inspection](t)(engine.Inspect(alice.wrap(1)))
		same(t, "profile and sender", fmt.Sprint(inspection.Profile, " ", inspection.SenderID), "rfc of the config")
		bob := join(t, as("bob"), func(o *sds.Options) { o.Config = &config })
		same(t, "sender", must[engine.Inspection](t)(engine.Inspect(bob.wrap(1))).SenderID, "bob")
		if config.AutoOpenChannels {
			t.Error("the caller's config was changed")
		}
	})
}

// A file outlives the manager: what was missing, sent and received, and the channels.
func TestInFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inFile := func(o *sds.Options) {
			o.Store = sds.InFile(filepath.Join(t.TempDir(), "alice.sds"), engine.StoreOptions{Synchronous: engine.SynchronousOff})
		}
		var options sds.Options
		inFile(&options)
		same := func(o *sds.Options) { o.Store = options.Store }
		alice, bob := join(t, as("alice"), same), join(t)
		sent := alice.wrap(1)
		missed := bob.wrap(2)
		alice.unwrap(bob.wrap(3), 3)
		alice.says("missing 2 of 3")
		check(t, alice.Cleanup())

		alice = join(t, as("alice"), same)
		alice.unwrap(missed, 2)
		alice.says("ready 2", "ready 3")
		alice.unwrap(sent, 1)
		bob.unwrap(sent, 1)
		alice.unwrap(bob.wrap(4), 4)
		alice.says("ready 4", "sent 1")
		page := must[engine.LogPage](t)(alice.Engine().ReadLog(channel, engine.LogPosition{}, 10))
		if len(page.Entries) != 4 {
			t.Errorf("%d messages in the log", len(page.Entries))
		}
		_, err := sds.NewReliabilityManagerWith(options)
		if !errors.Is(err, engine.ErrStoreUnusable) && !errors.Is(err, engine.ErrStoreFailed) {
			t.Error("of another participant, and in use:", err)
		}
	})
}
