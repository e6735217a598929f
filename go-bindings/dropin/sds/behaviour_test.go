//go:build go1.25

package sds_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

// What status-go and its tests rely on, sentence by sentence. The members here have no identity, as status-go makes them.

func TestLoggerMayBeNil(t *testing.T) {
	for _, logger := range []*zap.Logger{nil, zap.NewNop()} {
		rm := must[*sds.ReliabilityManager](t)(sds.NewReliabilityManager(logger))
		data := must[[]byte](t)(rm.WrapOutgoingMessage(payload(1), id(1), channel))
		must[*sds.UnwrappedMessage](t)(rm.UnwrapReceivedMessage(data))
		check(t, rm.Cleanup())
	}
}

// Channels come into being by use, by sending and by receiving, and speak the libsds profile.
func TestChannelsComeByUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		data := alice.wrap(1)
		same(t, "missing", bob.unwrap(data, 1), []string{})
		for _, m := range []*member{alice, bob} {
			same(t, "channels", must[[]string](t)(m.Engine().Channels()), []string{channel})
		}
		inspection := must[engine.Inspection](t)(engine.Inspect(data))
		if inspection.Profile != engine.ProfileLibsds || inspection.SenderID != "" {
			t.Errorf("%+v", inspection)
		}
		same(t, "id", inspection.MessageID, id(1))
	})
}

// MissingDeps lists every dependency that is unmet now, each time; OnMissingDependencies tells once.
func TestMissingDeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		first, second, third := alice.wrap(1), alice.wrap(2), alice.wrap(3)
		same(t, "missing", bob.unwrap(third, 3), []string{"1", "2"})
		bob.says("missing 1 2 of 3")
		same(t, "missing, again", bob.unwrap(third, 3), []string{"1", "2"})
		same(t, "missing of 1", bob.unwrap(first, 1), []string{})
		bob.says("ready 1")
		same(t, "missing, with 1 here", bob.unwrap(third, 3), []string{"2"})
		same(t, "missing of 2", bob.unwrap(second, 2), []string{})
		same(t, "missing, with all here", bob.unwrap(third, 3), []string{})
		bob.says("ready 2", "ready 3")
	})
}

// A caller may do with MissingDeps what it likes, before the callback is called.
func TestMissingDepsBelongToTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		alice.wrap(1)
		u := must[*sds.UnwrappedMessage](t)(bob.UnwrapReceivedMessage(alice.wrap(2)))
		(*u.MissingDeps)[0].MessageID = "overwritten"
		bob.says("missing 1 of 2")
	})
}

func TestUnwrappedMessageInJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		first := alice.wrap(1)
		alice.RegisterCallbacks(sds.EventCallbacks{RetrievalHintProvider: func(sds.MessageID) []byte { return []byte("hint") }})
		for i, want := range map[int]string{
			2: `{"message":"bWVzc2FnZSAy","missingDeps":[{"messageId":"` + string(id(1)) + `","retrievalHint":"aGludA=="}],"channelId":"` + channel + `"}`,
			1: `{"message":"bWVzc2FnZSAx","missingDeps":[],"channelId":"` + channel + `"}`,
		} {
			data := first
			m := bob
			if i == 2 {
				data, m = alice.wrap(2), join(t)
			}
			u := must[*sds.UnwrappedMessage](t)(m.UnwrapReceivedMessage(data))
			same(t, "JSON", string(must[[]byte](t)(json.Marshal(u))), want)
		}
	})
}

// Duplicates return their content, and so do messages of one's own; no callback is called for them.
func TestDuplicatesAndEchoes(t *testing.T) {
	for _, participant := range []string{"", "alice"} {
		synctest.Test(t, func(t *testing.T) {
			alice, bob := join(t, as(participant)), join(t)
			data := alice.wrap(1)
			for range 3 {
				same(t, "missing", alice.unwrap(data, 1), []string{})
				same(t, "missing", bob.unwrap(data, 1), []string{})
			}
			alice.says()
			bob.says("ready 1")
		})
	}
}

// A manager without an identity sees its own messages like anybody's: those that it does not know it takes in.
func TestWithoutIdentity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, again := join(t), join(t)
		data := alice.wrap(1)
		same(t, "sender", must[engine.Inspection](t)(engine.Inspect(data)).SenderID, "")
		again.unwrap(data, 1)
		again.says("ready 1")
		// Its answer acknowledges, though both have the same empty name.
		alice.unwrap(again.wrap(2), 2)
		alice.says("ready 2", "sent 1")
	})
}

// Each callback is called once per fact, in causal order, and OnMessageSent means acknowledged.
func TestCallbacksAreCalledOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		var sent [][]byte
		var want []string
		for i := 1; i <= 5; i++ {
			sent = append(sent, alice.wrap(i))
			want = append(want, fmt.Sprint("ready ", i))
		}
		alice.says() // wrapped is not sent
		for round := range 3 {
			for i := 4; i >= 0; i-- {
				bob.unwrap(sent[i], i+1)
			}
			told := bob.settled()
			if round == 0 {
				same(t, "told of what is missing", told[:4], []string{"missing 2 3 4 of 5", "missing 1 2 3 of 4", "missing 1 2 of 3", "missing 1 of 2"})
				same(t, "told of what is ready", told[4:], want)
			} else {
				same(t, "told again", told, []string{})
			}
		}
		answer := bob.wrap(9)
		for range 3 {
			alice.unwrap(answer, 9)
		}
		// It names the last three; the first two are in its filter, which is evidence and not yet an acknowledgement.
		told := alice.settled()
		same(t, "told", told, []string{"ready 9", "sent 3", "sent 4", "sent 5"})
	})
}

// What a message waited for is told before it, also if another one comes in before anything was told.
func TestReadyInCausalOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		first, second, third := alice.wrap(1), alice.wrap(2), alice.wrap(3)
		bob.unwrap(second, 2)
		bob.unwrap(first, 1) // now 1 and 2 are ready,
		bob.unwrap(third, 3) // and now 3: nobody was told yet
		bob.says("missing 1 of 2", "ready 1", "ready 2", "ready 3")
	})
}

// MarkDependenciesMet is fine with ids that are known, and with others in a channel that is.
func TestMarkDependenciesMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		alice.wrap(1)
		bob.unwrap(alice.wrap(2), 2)
		bob.says("missing 1 of 2")
		check(t, bob.MarkDependenciesMet([]sds.MessageID{id(1)}, channel))
		bob.says("ready 2")
		check(t, bob.MarkDependenciesMet([]sds.MessageID{id(1), id(2)}, channel))
		check(t, bob.MarkDependenciesMet([]sds.MessageID{"never heard of"}, channel))
		check(t, bob.MarkDependenciesMet(nil, channel))
		bob.says()
		for _, of := range []string{"", "another channel"} {
			if bob.MarkDependenciesMet([]sds.MessageID{id(1)}, of) == nil {
				t.Errorf("channel %q: no error", of)
			}
		}
	})
}

// The provider is asked while wrapping, for the ids about to be named, and what it knows is in the message.
func TestRetrievalHintProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		var asked []string
		hints := map[string]string{"1": "one", "3": "three"}
		alice.RegisterCallbacks(sds.EventCallbacks{RetrievalHintProvider: func(id sds.MessageID) []byte {
			asked = append(asked, short(id))
			return []byte(hints[short(id)])
		}})
		for i := 1; i <= 3; i++ {
			alice.wrap(i)
		}
		same(t, "asked", asked, []string{"1", "1", "2"})
		asked = nil
		u := must[*sds.UnwrappedMessage](t)(bob.UnwrapReceivedMessage(alice.wrap(4)))
		same(t, "asked", asked, []string{"1", "2", "3"})
		got := map[string]string{}
		for _, entry := range *u.MissingDeps {
			got[short(entry.MessageID)] = string(entry.RetrievalHint)
			if (entry.RetrievalHint == nil) != (short(entry.MessageID) == "2") {
				t.Errorf("%+v", entry)
			}
		}
		same(t, "hints", got, map[string]string{"1": "one", "2": "", "3": "three"})

		// Hints that are too long stop no message, and a provider may use the manager.
		alice.RegisterCallbacks(sds.EventCallbacks{RetrievalHintProvider: func(sds.MessageID) []byte {
			must[[]string](t)(alice.Engine().Channels())
			return make([]byte, 5000)
		}})
		bob.unwrap(alice.wrap(5), 5)
	})
}

// Wrapping an id again is a retry, whatever became of the message since.
func TestWrapAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := sds.DefaultConfig()
		config.LogMessages, config.SeenLimit, config.MaxUnacknowledged = 5, 1000, 10
		alice, bob := join(t, func(o *sds.Options) { o.Config = &config }), join(t)
		data := alice.wrap(1)
		same(t, "retry", alice.wrap(1), data)
		bob.unwrap(data, 1)
		alice.unwrap(bob.wrap(2), 2)
		alice.says("ready 2", "sent 1")
		bob.unwrap(alice.wrap(1), 1) // acknowledged
		for i := 10; i < 40; i++ {   // and gone
			bob.unwrap(alice.wrap(i), i)
			alice.unwrap(bob.wrap(100+i), 100+i)
		}
		alice.settled()
		bob.settled()
		late := alice.wrap(1)
		bob.unwrap(late, 1)
		join(t).unwrap(late, 1)
		bob.says()
		alice.unwrap(bob.wrap(3), 3)
		alice.says("ready 3")
		// Of a message that is still held, the content has to be the same.
		alice.wrap(4)
		if _, err := alice.WrapOutgoingMessage([]byte("another"), id(4), channel); !errors.Is(err, engine.ErrIDReused) {
			t.Error(err)
		}
	})
}

func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := join(t)
		for _, row := range []struct {
			what    string
			message []byte
			id      sds.MessageID
			channel string
			err     error
		}{
			{"an empty message", []byte{}, id(1), channel, engine.ErrEmptyContent},
			{"no message", nil, id(1), channel, engine.ErrEmptyContent},
			{"an empty channel id", payload(1), id(1), "", engine.ErrInvalidID},
			{"an empty message id", payload(1), "", channel, engine.ErrInvalidID},
			{"a message too large", make([]byte, 2<<20), id(1), channel, engine.ErrTooLarge},
		} {
			if data, err := alice.WrapOutgoingMessage(row.message, row.id, row.channel); !errors.Is(err, row.err) || data != nil {
				t.Errorf("%s: %v", row.what, err)
			}
		}
		for what, data := range map[string][]byte{
			"nothing": nil, "text": []byte("plain text, no SDS"), "garbage": {0xff, 0xff, 0xff}, "torn": alice.wrap(1)[:40],
		} {
			if u, err := alice.UnwrapReceivedMessage(data); err == nil || u != nil {
				t.Errorf("%s: no error", what)
			}
		}
		alice.says()
	})
}

// OnPeriodicSync is called soon after StartPeriodicTasks, not before, and every 30 s then.
func TestPeriodicSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := join(t)
		time.Sleep(5 * time.Minute)
		alice.says()
		check(t, alice.StartPeriodicTasks())
		alice.says("sync")
		for range 20 {
			time.Sleep(30*time.Second - time.Millisecond)
			alice.says()
			time.Sleep(time.Millisecond)
			alice.says("sync")
			check(t, alice.StartPeriodicTasks()) // once is enough
			alice.says()
		}
		check(t, alice.Cleanup())
		time.Sleep(5 * time.Minute)
		alice.says()
	})
}

// Callbacks run on no goroutine of the caller's, one at a time, and may call the manager.
func TestCallbacksRunApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		first := alice.wrap(1)
		held := make(chan struct{})
		var stacks []string
		bob.RegisterCallbacks(sds.EventCallbacks{OnMessageReady: func(id sds.MessageID, of string) {
			stack := make([]byte, 10_000)
			stacks = append(stacks, string(stack[:runtime.Stack(stack, false)]))
			if len(stacks) == 1 {
				<-held // the caller goes on all the same
			}
			_, err := bob.WrapOutgoingMessage([]byte("read "+id), "answer to "+id, of)
			check(t, err)
			check(t, bob.MarkDependenciesMet([]sds.MessageID{id}, of))
			_, err = bob.UnwrapReceivedMessage(first)
			check(t, err)
		}})
		bob.unwrap(first, 1)
		bob.unwrap(alice.wrap(2), 2)
		synctest.Wait()
		same(t, "while the first is under way", len(stacks), 1)
		close(held)
		synctest.Wait()
		same(t, "after it", len(stacks), 2)
		for _, stack := range stacks {
			if strings.Contains(stack, "TestCallbacksRunApart(") || strings.Contains(stack, "UnwrapReceivedMessage") {
				t.Error(stack)
			}
		}
	})
}

// What happened while there were no callbacks is not told later; later ones take the place of earlier ones.
func TestRegisterCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		bob.RegisterCallbacks(sds.EventCallbacks{})
		bob.unwrap(alice.wrap(1), 1)
		bob.says()
		bob.RegisterCallbacks(bob.callbacks())
		bob.says()
		bob.unwrap(alice.wrap(2), 2)
		bob.says("ready 2")
	})
}

// A callback that does not return makes others wait, up to a limit; then messages are refused, and none is lost.
func TestCallbackThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := sds.DefaultConfig()
		config.MaxOutputs = 16
		alice, bob := join(t), join(t, func(o *sds.Options) { o.Config = &config })
		held := make(chan struct{})
		count := 0
		bob.RegisterCallbacks(sds.EventCallbacks{OnMessageReady: func(sds.MessageID, string) { <-held; count++ }})
		taken := 0
		var refused []byte
		for i := 1; refused == nil; i++ {
			data := alice.wrap(i)
			synctest.Wait()
			if _, err := bob.UnwrapReceivedMessage(data); errors.Is(err, engine.ErrOutputsFull) {
				refused = data
			} else {
				check(t, err)
				taken = i
			}
		}
		same(t, "taken", taken, 17) // one is being told
		close(held)
		synctest.Wait()
		bob.unwrap(refused, taken+1)
		synctest.Wait()
		same(t, "told", count, taken+1)
	})
}

func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, bob := join(t), join(t)
		data := alice.wrap(1)
		bob.unwrap(data, 1)
		bob.says("ready 1")
		check(t, bob.Reset())
		same(t, "channels", must[[]string](t)(bob.Engine().Channels()), []string{})
		bob.unwrap(data, 1)
		bob.says("ready 1")
		// What was not told yet is forgotten, too: what is queued, and what is about to be told.
		held := make(chan struct{})
		count := 0
		bob.RegisterCallbacks(sds.EventCallbacks{OnMessageReady: func(sds.MessageID, string) { count++; <-held }})
		second, third := alice.wrap(2), alice.wrap(3)
		bob.unwrap(third, 3)
		bob.unwrap(second, 2)
		synctest.Wait()
		bob.unwrap(alice.wrap(4), 4)
		check(t, bob.Reset())
		close(held)
		synctest.Wait()
		same(t, "told", count, 1)
	})
}

// The same, in bytes.
func TestCallbackThatDoesNotReturnInBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := sds.DefaultConfig()
		config.MaxMessageBytes, config.MaxOutputBytes = 256<<10, 256<<10
		alice, bob := join(t), join(t, func(o *sds.Options) { o.Config = &config })
		held := make(chan struct{})
		var told atomic.Int32
		bob.RegisterCallbacks(sds.EventCallbacks{OnMessageReady: func(sds.MessageID, string) { <-held; told.Add(1) }})
		large := func(i int) []byte {
			return must[[]byte](t)(alice.WrapOutgoingMessage(make([]byte, 150<<10), id(i), channel))
		}
		bob.unwrap(alice.wrap(100), 100) // is being told
		synctest.Wait()
		refused := 0
		for i := 1; i < 10; i += 2 {
			first, second := large(i), large(i+1)
			// The second one waits, and its content is queued when the first one comes.
			for _, data := range [][]byte{second, first} {
				if _, err := bob.UnwrapReceivedMessage(data); errors.Is(err, engine.ErrOutputsFull) {
					refused++
				} else {
					check(t, err)
				}
			}
		}
		same(t, "refused", refused, 6) // two contents are more than 256 KiB
		close(held)
		synctest.Wait()
		same(t, "told", told.Load(), 5)
	})
}

// A sync message has an empty payload, and no callback is called for it.
func TestSyncMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := sds.DefaultConfig()
		config.SyncInLibsds = true
		alice, bob := join(t), join(t, as("bob"), func(o *sds.Options) { o.Config = &config })
		bob.unwrap(alice.wrap(1), 1)
		bob.settled()
		time.Sleep(time.Minute)
		ids, data := transmits(bob.seen())
		if len(data) == 0 || !strings.HasPrefix(ids[0], "sync ") {
			t.Fatal(ids)
		}
		u := must[*sds.UnwrappedMessage](t)(alice.UnwrapReceivedMessage(data[0]))
		if *u.Message == nil || len(*u.Message) != 0 || *u.MissingDeps == nil || *u.ChannelId != channel {
			t.Errorf("%+v", u)
		}
		alice.says("sent 1")
	})
}
