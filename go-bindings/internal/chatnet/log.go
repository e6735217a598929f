package chatnet

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Logline is one message in the log of an engine, as its dump tells it: no content.
type Logline struct {
	Timestamp uint64
	ID        string
}

// UnmarshalJSON reads the pair [timestamp, id].
func (l *Logline) UnmarshalJSON(text []byte) error {
	pair := [2]any{&l.Timestamp, &l.ID}
	return json.Unmarshal(text, &pair)
}

// log is our engine's log, oldest first, in the engine's own order. It comes from the dump, since the order is not ours to
// make: whoever sorts cannot find out whether it was in order.
func (n *Node) log() ([]Logline, error) {
	dump, err := n.manager.DumpChannel(n.options.Channel)
	if err != nil {
		return nil, err
	}
	return parseLog(dump)
}

func parseLog(dump []byte) ([]Logline, error) {
	var state struct {
		Log []Logline `json:"log_latest_first"`
	}
	if err := json.Unmarshal(dump, &state); err != nil {
		return nil, fmt.Errorf("the dump of the channel: %w", err)
	}
	if state.Log == nil {
		return nil, fmt.Errorf("the dump of the channel has no log")
	}
	slices.Reverse(state.Log)
	return state.Log, nil
}
