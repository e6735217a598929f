package bridge

import (
	"encoding/json"
	"slices"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// native is a participant on the Go bindings.
type native struct {
	*told
	*sds.Manager
	n        *network
	out      [][]byte
	contents map[string][]byte
}

// native opens one that writes the format of the profile.
func (n *network) native(name string, profile sds.Profile) *native {
	n.t.Helper()
	config := sds.DefaultConfig()
	config.ParticipantID = sds.ParticipantID(name)
	seed := uint64(n.random.Int63())
	config.Seed = &seed
	config.RepairTMin, config.RepairTMax = repairTMin, repairTMax
	m, err := sds.Open(config)
	check(n.t, err)
	n.t.Cleanup(func() { check(n.t, m.Close()) })
	check(n.t, m.OpenChannel(room, sds.ChannelOptions{Profile: profile}, n.now))
	return &native{told: newTold(name), Manager: m, n: n, contents: make(map[string][]byte)}
}

func (m *native) say(content string) string {
	m.n.t.Helper()
	w, err := m.WrapOutgoing(room, "", []byte(content), m.n.now)
	check(m.n.t, err)
	id := string(w.MessageID)
	m.said[id], m.contents[id] = content, []byte(content)
	m.out = append(m.out, w.Data)
	m.drain()
	return id
}

func (m *native) hear(packet []byte) {
	m.n.t.Helper()
	u, err := m.UnwrapIncoming(packet, m.n.now)
	check(m.n.t, err)
	m.read[u.Profile.String()]++
	switch u.Disposition {
	case sds.DispositionDelivered, sds.DispositionLate:
		m.show(u.MessageID, u.Content)
	}
	m.drain()
}

func (m *native) show(id sds.MessageID, content []byte) {
	m.shown[string(id)]++
	m.contents[string(id)] = slices.Clone(content)
}

func (m *native) tick() {
	check(m.n.t, m.Tick(m.n.now))
	m.drain()
}

func (m *native) drain() {
	outputs, err := m.Drain()
	check(m.n.t, err)
	for _, output := range outputs {
		switch output := output.(type) {
		case sds.Transmit:
			m.out = append(m.out, output.Data)
			m.reasons[output.Reason.String()]++
		case sds.Delivered:
			m.show(output.MessageID, output.Content)
		case sds.Acknowledged:
			m.acknowledged[string(output.MessageID)]++
		}
	}
}

func (m *native) emptied() [][]byte {
	out := m.out
	m.out = nil
	return out
}

func (m *native) log() []logged {
	text, err := m.DumpChannel(room)
	check(m.n.t, err)
	var dumped struct {
		Log [][2]any `json:"log_latest_first"`
	}
	check(m.n.t, json.Unmarshal(text, &dumped))
	var log []logged
	for _, m2 := range slices.Backward(dumped.Log) {
		id := m2[1].(string)
		log = append(log, logged{ID: id, Timestamp: uint64(m2[0].(float64)), Content: m.contents[id]})
	}
	return log
}
