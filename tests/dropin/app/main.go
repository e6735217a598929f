// A program as it was written for github.com/waku-org/sds-go-bindings/sds: it names nothing else of ours, and knows nothing
// of another engine. Two members talk; the first message gets lost, is noticed to be missing, fetched by its hint, and
// delivered before what waited for it; and its sender learns that it has arrived.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"sync"

	"github.com/waku-org/sds-go-bindings/sds"
	"go.uber.org/zap"
)

const channelID = "0xcommunity/1/chat"

// archive is what a store node has: messages by the hash of their envelope.
type archive struct {
	mutex    sync.Mutex
	messages map[string][]byte
	hashes   map[sds.MessageID]string
}

func (a *archive) keep(id sds.MessageID, data []byte) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	hash := fmt.Sprintf("%x", sha256.Sum256(data))
	a.messages[hash], a.hashes[id] = data, hash
}

func (a *archive) hint(id sds.MessageID) []byte {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return []byte(a.hashes[id])
}

func (a *archive) fetch(hash []byte) []byte {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.messages[string(hash)]
}

func messageID(payload string) sds.MessageID {
	return sds.MessageID(fmt.Sprintf("0x%x", sha256.Sum256([]byte(payload))))
}

func run() error {
	logger := zap.NewNop()
	alice, err := sds.NewReliabilityManager(logger)
	if err != nil {
		return err
	}
	defer alice.Cleanup()
	bob, err := sds.NewReliabilityManager(nil)
	if err != nil {
		return err
	}
	defer bob.Cleanup()

	store := &archive{messages: map[string][]byte{}, hashes: map[sds.MessageID]string{}}
	names := map[sds.MessageID]string{}
	for _, payload := range []string{"hello", "are you there?", "yes"} {
		names[messageID(payload)] = payload
	}
	var sent, ready, synced sync.WaitGroup
	sent.Add(2)
	ready.Add(2)
	synced.Add(1)
	alice.RegisterCallbacks(sds.EventCallbacks{
		OnMessageSent:         func(id sds.MessageID, _ string) { fmt.Println("alice: arrived:", names[id]); sent.Done() },
		OnPeriodicSync:        sync.OnceFunc(synced.Done),
		RetrievalHintProvider: store.hint,
	})
	bob.RegisterCallbacks(sds.EventCallbacks{
		OnMessageReady: func(id sds.MessageID, _ string) { fmt.Println("bob: in order:", names[id]); ready.Done() },
		OnMissingDependencies: func(id sds.MessageID, missing []sds.HistoryEntry, channel string) {
			fmt.Println("bob: waits for another:", names[id])
			for _, entry := range missing {
				if _, err := bob.UnwrapReceivedMessage(store.fetch(entry.RetrievalHint)); err != nil {
					panic(err)
				}
			}
		},
	})
	if err := alice.StartPeriodicTasks(); err != nil {
		return err
	}
	say := func(from *sds.ReliabilityManager, payload string) ([]byte, error) {
		data, err := from.WrapOutgoingMessage([]byte(payload), messageID(payload), channelID)
		if err == nil {
			store.keep(messageID(payload), data)
		}
		return data, err
	}
	if _, err := say(alice, "hello"); err != nil { // lost on its way
		return err
	}
	data, err := say(alice, "are you there?")
	if err != nil {
		return err
	}
	got, err := bob.UnwrapReceivedMessage(data)
	if err != nil {
		return err
	}
	fmt.Printf("bob: received: %s (%d missing)\n", *got.Message, len(*got.MissingDeps))
	ready.Wait()
	if data, err = say(bob, "yes"); err != nil {
		return err
	}
	if got, err = alice.UnwrapReceivedMessage(data); err != nil {
		return err
	}
	fmt.Printf("alice: received: %s (%d missing)\n", *got.Message, len(*got.MissingDeps))
	sent.Wait()
	synced.Wait()
	if _, err := bob.UnwrapReceivedMessage([]byte("not everything is SDS")); err == nil {
		return fmt.Errorf("text was taken for SDS")
	}
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
