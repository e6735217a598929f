package bridge

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// node is the process that all web participants live in (web.mjs). The first starts it, and its input ends with the tests.
var node struct {
	sync.Mutex
	stdin   io.Writer
	lines   *bufio.Reader
	members int
}

// request is a line to web.mjs.
type request struct {
	Do      string `json:"do"`
	Member  string `json:"member"`
	Now     int64  `json:"now"`
	Kind    string `json:"kind,omitempty"`
	Channel string `json:"channel,omitempty"`
	Sender  string `json:"sender,omitempty"`
	Profile string `json:"profile,omitempty"`
	Seed    int    `json:"seed,omitempty"`
	Content []byte `json:"content,omitempty"`
	Packet  []byte `json:"packet,omitempty"`
}

// reply is a line from web.mjs: what the action answers, and what came of it.
type reply struct {
	Error        string   `json:"error"`
	ID           string   `json:"id"`
	Profile      string   `json:"profile"` // of what was received
	Refused      string   `json:"refused"` // why it was not
	Log          []logged `json:"log"`
	Out          [][]byte `json:"out"`
	Shown        []string `json:"shown"`
	Acknowledged []string `json:"acknowledged"`
}

// web is a participant in the process: on our package, or on @waku/sds.
type web struct {
	*told
	n      *network
	member string
	out    [][]byte
}

// web opens one that writes the format of the profile.
func (n *network) web(name string, profile sds.Profile) *web {
	return n.inNode("web", name, profile.String())
}

// waku opens one on @waku/sds, which knows one format.
func (n *network) waku(name string) *web { return n.inNode("waku", name, "") }

func (n *network) inNode(kind, name, profile string) *web {
	n.t.Helper()
	node.Lock()
	if node.stdin == nil {
		check(n.t, startNode())
	}
	node.members++
	seed := node.members
	node.Unlock()
	w := &web{told: newTold(name), n: n, member: strconv.Itoa(seed)}
	w.repeats = kind == "waku"
	w.ask(request{Do: "open", Kind: kind, Channel: room, Sender: name, Profile: profile, Seed: seed})
	return w
}

func startNode() error {
	command := exec.Command("node", "web.mjs")
	command.Stderr = os.Stderr
	// The collation by which @waku/sds sorts its log is that of the locale.
	command.Env = append(os.Environ(), "LC_ALL=en_US.UTF-8")
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

// ask has the process do something for the participant, and notes what came of it.
func (w *web) ask(r request) reply {
	w.n.t.Helper()
	node.Lock()
	defer node.Unlock()
	r.Member, r.Now = w.member, w.n.now.UnixMilli()
	line, err := json.Marshal(r)
	check(w.n.t, err)
	_, err = node.stdin.Write(append(line, '\n'))
	check(w.n.t, err)
	answer, err := node.lines.ReadBytes('\n')
	check(w.n.t, err)
	var parsed reply
	check(w.n.t, json.Unmarshal(answer, &parsed))
	if parsed.Error != "" {
		w.n.t.Fatalf("web.mjs, asked to %s for %s: %s", r.Do, w.name, parsed.Error)
	}
	w.out = append(w.out, parsed.Out...)
	for _, id := range parsed.Shown {
		w.shown[id]++
	}
	for _, id := range parsed.Acknowledged {
		w.acknowledged[id]++
	}
	return parsed
}

func (w *web) say(content string) string {
	w.n.t.Helper()
	id := w.ask(request{Do: "send", Content: []byte(content)}).ID
	w.said[id] = content
	return id
}

func (w *web) hear(packet []byte) {
	w.n.t.Helper()
	heard := w.ask(request{Do: "receive", Packet: packet})
	w.read[heard.Profile]++
	if heard.Refused != "" {
		w.refused[heard.Refused]++
	}
}

func (w *web) tick()         { w.ask(request{Do: "tick"}) }
func (w *web) log() []logged { return w.ask(request{Do: "log"}).Log }

func (w *web) emptied() [][]byte {
	out := w.out
	w.out = nil
	return out
}
