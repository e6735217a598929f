package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
)

// What was exchanged in all scenes, and what @waku/sds was seen not to do.
var report struct {
	sync.Mutex
	scenes, passed int
	rows           []string
	counts         map[string]*[2]int // to theirs, to ours
	shortcomings   []string
}

// scene counts the test as one.
func scene(t *testing.T) {
	report.Lock()
	report.scenes++
	report.Unlock()
	t.Cleanup(func() {
		if !t.Failed() && !t.Skipped() {
			report.Lock()
			report.passed++
			report.Unlock()
		}
	})
}

// shortcoming tells that @waku/sds does not do what it might. The package is pinned: if it does it after all, the scene
// is to be changed.
func shortcoming(t *testing.T, doesNot string, does bool) {
	t.Helper()
	if does {
		t.Errorf("@waku/sds was expected to fall short, and does not: %s", doesNot)
		return
	}
	t.Logf("@waku/sds %s", doesNot)
	report.Lock()
	defer report.Unlock()
	if !slices.Contains(report.shortcomings, doesNot) {
		report.shortcomings = append(report.shortcomings, doesNot)
	}
}

// tally counts what went from one side to the other; what stays on one side is not counted.
func tally(row string, from, to host) {
	if from.ours() == to.ours() {
		return
	}
	report.Lock()
	defer report.Unlock()
	if report.counts == nil {
		report.counts = make(map[string]*[2]int)
	}
	if report.counts[row] == nil {
		report.counts[row] = new([2]int)
		report.rows = append(report.rows, row)
	}
	report.counts[row][column(to)]++
}

func column(to host) int {
	if to.ours() {
		return 1
	}
	return 0
}

// count counts a packet that is heard.
func count(p packet, to host) {
	row := p.kind
	if p.why != "" {
		row += ", " + p.why
	}
	tally(row, p.from, to)
}

// tallyAck counts a message of the host that is acknowledged. In a group its own side may have done that; so may a gap be
// one in what its own side said.
func tallyAck(to host) { tally("acknowledgements", other{to}, to) }

// tallyGap counts a message that the host found missing.
func tallyGap(at host) { tally("found missing", other{at}, at) }

// other is a host of the other side.
type other struct{ host }

func (o other) ours() bool { return !o.host.ours() }

func TestMain(m *testing.M) {
	code := m.Run()
	fmt.Printf("\n%-28s %15s %15s\n", "", "ours to theirs", "theirs to ours")
	for _, row := range report.rows {
		fmt.Printf("%-28s %15d %15d\n", row, report.counts[row][0], report.counts[row][1])
	}
	fmt.Printf("\n@waku/sds %s:\n", version())
	for _, doesNot := range report.shortcomings {
		fmt.Printf("  * %s\n", doesNot)
	}
	fmt.Printf("\ninterop: %d/%d\n", report.passed, report.scenes)
	os.Exit(code)
}

// version is that of the package that is installed.
func version() string {
	var installed struct{ Version string }
	text, err := os.ReadFile("node_modules/@waku/sds/package.json")
	if err == nil {
		err = json.Unmarshal(text, &installed)
	}
	if err != nil {
		return err.Error()
	}
	return installed.Version
}
