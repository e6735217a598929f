//go:build go1.25

package sds_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/waku-org/sds-go-bindings/engine"
	"github.com/waku-org/sds-go-bindings/sds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const channel = "0x0123456789abcdef/1/chat"

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// must returns what a call returned, or ends the test.
func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(value T, err error) T {
		t.Helper()
		check(t, err)
		return value
	}
}

// id is a message id as status-go makes them.
func id(i int) sds.MessageID { return sds.MessageID(fmt.Sprintf("0x%064x", i)) }

// member is a manager and all that its callbacks were told, as texts such as "ready 0x..1".
type member struct {
	*sds.ReliabilityManager
	t     *testing.T
	mutex sync.Mutex
	told  []string
	// outputs is what OnOutput was given; see seen.
	outputs []engine.Output
}

// join makes a member in a synctest bubble, where the clock jumps when all sleep, and settled waits until they do.
func join(t *testing.T, options ...func(*sds.Options)) *member {
	t.Helper()
	m := &member{t: t}
	all := sds.Options{OnOutput: m.see}
	for _, change := range options {
		change(&all)
	}
	m.ReliabilityManager = must[*sds.ReliabilityManager](t)(sds.NewReliabilityManagerWith(all))
	m.RegisterCallbacks(m.callbacks())
	t.Cleanup(func() { _ = m.Cleanup() })
	return m
}

func (m *member) see(o engine.Output) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.outputs = append(m.outputs, o)
}

// seen waits as settled does, and returns what OnOutput was given since it was called last.
func (m *member) seen() []engine.Output {
	synctest.Wait()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	outputs := m.outputs
	m.outputs = nil
	return outputs
}

func as(participant string) func(*sds.Options) {
	return func(o *sds.Options) { o.ParticipantID = participant }
}

func (m *member) callbacks() sds.EventCallbacks {
	tell := func(what string, id sds.MessageID, of string) {
		if of != channel {
			m.t.Errorf("%s %s: of channel %q", what, id, of)
		}
		m.note(what + " " + short(id))
	}
	return sds.EventCallbacks{
		OnMessageReady: func(id sds.MessageID, of string) { tell("ready", id, of) },
		OnMessageSent:  func(id sds.MessageID, of string) { tell("sent", id, of) },
		OnMissingDependencies: func(id sds.MessageID, missing []sds.HistoryEntry, of string) {
			text := "missing"
			for _, entry := range missing {
				text += " " + short(entry.MessageID)
			}
			tell(text+" of", id, of)
		},
		OnPeriodicSync: func() { m.note("sync") },
	}
}

func (m *member) note(text string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.told = append(m.told, text)
}

// short is the number that an id was made from.
func short(id sds.MessageID) string {
	var i int
	if _, err := fmt.Sscanf(string(id), "0x%x", &i); err != nil {
		return string(id)
	}
	return fmt.Sprint(i)
}

// settled waits until all callbacks were called, and returns what they were told since it was called last.
func (m *member) settled() []string {
	synctest.Wait()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	told := m.told
	m.told = nil
	return told
}

// says compares what the callbacks were told.
func (m *member) says(want ...string) {
	m.t.Helper()
	if got := m.settled(); fmt.Sprint(got) != fmt.Sprint(want) {
		m.t.Errorf("told %q, not %q", got, want)
	}
}

func (m *member) wrap(i int) []byte {
	m.t.Helper()
	return must[[]byte](m.t)(m.WrapOutgoingMessage(payload(i), id(i), channel))
}

// unwrap takes in a message made by wrap(i), checks all that is returned, and returns the ids that are missing.
func (m *member) unwrap(data []byte, i int) (missing []string) {
	m.t.Helper()
	u, err := m.UnwrapReceivedMessage(data)
	check(m.t, err)
	if u.Message == nil || u.MissingDeps == nil || u.ChannelId == nil || *u.MissingDeps == nil {
		m.t.Fatalf("nil in %+v", u)
	}
	if string(*u.Message) != string(payload(i)) || *u.ChannelId != channel {
		m.t.Errorf("message %d: %q in %q", i, *u.Message, *u.ChannelId)
	}
	for _, entry := range *u.MissingDeps {
		missing = append(missing, short(entry.MessageID))
	}
	return missing
}

func payload(i int) []byte { return fmt.Appendf(nil, "message %d", i) }

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, not %v", what, got, want)
	}
}
