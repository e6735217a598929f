package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"
)

// node is the process that all participants of @waku/sds live in: peer.mjs says what it can do. It is started by the first
// of them, and its input ends with the tests.
var node struct {
	sync.Mutex
	stdin io.Writer
	lines *bufio.Reader
	peers int
}

// peer is one participant.
type peer struct {
	t    testing.TB
	name string
}

// request is a line to peer.mjs.
type request struct {
	Do      string   `json:"do"`
	Peer    string   `json:"peer"`
	Now     int64    `json:"now"`
	Channel string   `json:"channel,omitempty"`
	Sender  string   `json:"sender,omitempty"`
	Seed    int64    `json:"seed,omitempty"`
	Options *options `json:"options,omitempty"`
	Content []byte   `json:"content,omitempty"`
	Packet  []byte   `json:"packet,omitempty"`
	IDs     []string `json:"ids,omitempty"`
}

// options are @waku/sds's own; what is left out has its default.
type options struct {
	CausalHistorySize int           `json:"causalHistorySize,omitempty"`
	LostAfterMs       int           `json:"timeoutForLostMessagesMs,omitempty"`
	Repair            *repairConfig `json:"repairConfig,omitempty"`
}

type repairConfig struct {
	TMinMs int `json:"tMin,omitempty"`
	TMaxMs int `json:"tMax,omitempty"`
}

// reply is a line from peer.mjs; an action fills some of it.
type reply struct {
	Error          string      `json:"error"`
	Events         []event     `json:"events"`
	Messages       []described `json:"messages"`
	Missing        []entry     `json:"missing"`
	Unacknowledged []string    `json:"unacknowledged"`
	Possibly       []string    `json:"possibly"`

	Log       []logged `json:"log"`
	Waiting   []string `json:"waiting"`
	Outgoing  []string `json:"outgoing"`
	Filtered  []string `json:"filtered"`
	Requests  []entry  `json:"requests"`
	Responses []entry  `json:"responses"`
	Timestamp uint64   `json:"timestamp"`
}

// event is what a MessageChannel told.
type event struct {
	Name  string   `json:"name"`
	IDs   []string `json:"ids"`
	Count int      `json:"count"`
	Error string   `json:"error"`
}

// described is a message as @waku/sds sees it, and the bytes that it would write.
type described struct {
	Kind        string  `json:"kind"`
	ID          string  `json:"id"`
	Channel     string  `json:"channel"`
	Sender      string  `json:"sender"`
	Timestamp   uint64  `json:"timestamp"`
	History     []entry `json:"history"`
	Repairs     []entry `json:"repairs"` // what it asks for; our engine tells only how many
	Asks        int     `json:"asks"`
	FilterBytes int     `json:"filterBytes"`
	Filter      []byte  `json:"filter"` // the hash of the filter; our engine does not tell it
	Content     []byte  `json:"content"`
	Packet      []byte  `json:"packet"`
}

// entry is a history entry, in the repair buffers with the time it is due.
type entry struct {
	ID     string `json:"id"`
	Hint   []byte `json:"hint"`
	Sender string `json:"sender"`
	DueMs  int64  `json:"due"`
}

// logged is a message in a log.
type logged struct {
	ID        string `json:"id"`
	Timestamp uint64 `json:"timestamp"`
	Content   []byte `json:"content"`
}

// newPeer names a participant that is closed with the test.
func newPeer(t testing.TB) *peer {
	t.Helper()
	node.Lock()
	defer node.Unlock()
	if node.stdin == nil {
		check(t, startNode())
	}
	node.peers++
	p := &peer{t: t, name: strconv.Itoa(node.peers)}
	t.Cleanup(func() { p.ask(time.Time{}, request{Do: "close"}) })
	return p
}

func startNode() error {
	command := exec.Command("node", "peer.mjs")
	// The collation by which @waku/sds sorts its log is that of the locale.
	command.Env = append(os.Environ(), "LC_ALL=en_US.UTF-8")
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	node.stdin, node.lines = stdin, bufio.NewReaderSize(stdout, 1<<20)
	return command.Start()
}

// ask has the process do something for the participant.
func (p *peer) ask(now time.Time, r request) reply {
	p.t.Helper()
	node.Lock()
	defer node.Unlock()
	r.Peer, r.Now = p.name, now.UnixMilli()
	line, err := json.Marshal(r)
	check(p.t, err)
	if _, err := node.stdin.Write(append(line, '\n')); err != nil {
		p.t.Fatalf("peer.mjs, asked to %s: %v", r.Do, err)
	}
	answer, err := node.lines.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("peer.mjs, asked to %s: %v", r.Do, err)
	}
	var parsed reply
	check(p.t, json.Unmarshal(answer, &parsed))
	if parsed.Error != "" {
		p.t.Fatalf("peer.mjs, asked to %s: %s", r.Do, parsed.Error)
	}
	return parsed
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
