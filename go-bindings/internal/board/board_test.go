package board

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/internal/chatnet"
)

// The board passes on what each participant told: the order of its engine and what it was shown, and nothing that another
// one told, or a check of them could not fail.
func TestLogsAreThoseOfTheParticipants(t *testing.T) {
	b := New([]string{"ann", "ben"}, 2)
	tell := func(node string, kind chatnet.Kind, id, text string, timestamp uint64, history ...string) {
		b.Apply(chatnet.Event{
			Node: node, Kind: kind, At: time.Unix(1, 0), ID: id, Sender: "ann", Text: text, Timestamp: timestamp, History: history,
		})
	}
	tell("ann", chatnet.Sent, "x", "one", 10)
	tell("ann", chatnet.Sent, "y", "two", 20, "x")
	tell("ben", chatnet.Delivered, "y", "two", 20)
	tell("ben", chatnet.Delivered, "x", "not one", 10)
	ascending := []chatnet.Logline{{Timestamp: 10, ID: "x"}, {Timestamp: 20, ID: "y"}}
	b.Apply(chatnet.Event{Node: "ann", Kind: chatnet.Logged, Log: ascending})
	b.Apply(chatnet.Event{Node: "ben", Kind: chatnet.Logged, Log: []chatnet.Logline{ascending[1], ascending[0]}})

	logs := b.Logs()
	want := []chatlog.Entry{{Timestamp: 20, ID: "y", Sender: "ann", Text: "two"}, {Timestamp: 10, ID: "x", Sender: "ann", Text: "not one"}}
	if !slices.Equal(logs[1].Entries, want) {
		t.Errorf("%+v", logs[1].Entries)
	}
	if err := chatlog.Ascending(logs[1]); err == nil {
		t.Error("ben's log is out of order, and that was not noticed")
	}
	_, _, err := chatlog.Causal(logs[1], b.Histories())
	if err == nil || !strings.Contains(err.Error(), "ben was shown message y before x") {
		t.Errorf("ben was shown y first: %v", err)
	}
	if named, _, err := chatlog.Causal(logs[0], b.Histories()); named != 1 || err != nil {
		t.Errorf("ann: %d named, %v", named, err)
	}
}

// An engine that told no log is no engine whose log is fine.
func TestNoLogIsNoEqualLog(t *testing.T) {
	b := New([]string{"ann"}, 1)
	b.Apply(chatnet.Event{Node: "ann", Kind: chatnet.Sent, ID: "x", Timestamp: 10})
	if err := chatlog.Complete(b.Logs()[0], 1); err == nil {
		t.Error("complete")
	}
}
