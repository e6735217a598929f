package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/internal/ui"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// chat writes a transcript of this many lines by three speakers.
func chat(t *testing.T, lines int) string {
	t.Helper()
	var text strings.Builder
	for n := range lines {
		fmt.Fprintf(&text, "%s: line %d\n", []string{"ann", "ben", "cleo"}[n%3], n)
	}
	return file(t, text.String())
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chat.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// demoRun runs the program, fast and in plain lines, and returns its exit status and what it wrote.
func demoRun(h hooks, args ...string) (status int, stdout, stderr string) {
	return demoOn(h, append([]string{"-plain"}, args...)...)
}

func demoOn(h hooks, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(context.Background(), append([]string{"-speed", "300", "-seed", "3"}, args...), &out, &err, h)
	return status, out.String(), err.String()
}

// lastLine is what the demo promises to end with.
var lastLine = regexp.MustCompile(`^demo: 30 messages, 3 participants, [1-9]\d* packets dropped: all logs equal$`)

func TestEndsWithEqualLogs(t *testing.T) {
	for _, profile := range []string{"libsds", "rfc"} {
		status, stdout, stderr := demoRun(hooks{}, "-file", chat(t, 30), "-loss", "0.3", "-profile", profile)
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if last := lines[len(lines)-1]; status != 0 || !lastLine.MatchString(last) {
			t.Errorf("%s: status %d, last line %q, errors %q", profile, status, last, stderr)
		}
		// Not vacuously: there were logs and histories to look at.
		if !regexp.MustCompile(`inside all 3 engines hold the same 30 messages(.|\n)*\([1-9]\d* names checked\)`).MatchString(stdout) {
			t.Errorf("%s: what was checked is not told:\n%s", profile, stdout)
		}
		if strings.Contains(stdout, "\x1b") {
			t.Errorf("%s: escape codes where there is no terminal", profile)
		}
	}
}

// What is checked can fail: each of these is one thing that an engine could do wrong.
func TestChecksCanFail(t *testing.T) {
	for what, test := range map[string]struct {
		tamper  func(logs []chatlog.Log)
		problem string
	}{
		"an empty log": {func(logs []chatlog.Log) { logs[1].Entries = nil }, "the logs of ann and ben differ"},
		"one engine with another order": {
			func(logs []chatlog.Log) { swap(logs[2].Entries, 4, 5) }, "the logs of ann and cleo differ at message 5",
		},
		"all engines with the same wrong order": {func(logs []chatlog.Log) {
			for i := range logs {
				swap(logs[i].Entries, 4, 5)
			}
		}, "out of order at message 6"},
		"another text": {func(logs []chatlog.Log) { logs[1].Entries[0].Text = "no" }, `ben has "no" by`},
		"the same message lost by all": {func(logs []chatlog.Log) {
			for i := range logs {
				gone := logs[i].Entries[7].ID
				logs[i].Entries = slices.Delete(logs[i].Entries, 7, 8)
				logs[i].Shown = slices.DeleteFunc(logs[i].Shown, func(id string) bool { return id == gone })
			}
		}, "holds 11 of 12 messages"},
		"a message shown before what it depends on": {func(logs []chatlog.Log) {
			slices.Reverse(logs[1].Shown)
		}, "ben was shown message"},
		"a message logged and not shown": {func(logs []chatlog.Log) { logs[0].Shown = logs[0].Shown[1:] }, "was shown 11 of"},
	} {
		status, stdout, stderr := demoRun(hooks{tamper: test.tamper}, "-file", chat(t, 12))
		if status != exitFailed || strings.Contains(stdout, "equal") || !strings.Contains(stderr, test.problem) {
			t.Errorf("%s: status %d\n%s\n%s", what, status, stdout, stderr)
		}
	}
}

func swap[E any](list []E, i, j int) { list[i], list[j] = list[j], list[i] }

// Without a store, it is members who repair what is missing.
func TestWithoutStore(t *testing.T) {
	status, stdout, stderr := demoRun(hooks{}, "-file", chat(t, 30), "-loss", "0.2", "-store=false")
	if status != exitOK {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if !strings.Contains(stdout, "messages name 10 (default: 3), patience 1h0m0s (default: 10m0s), no store") {
		t.Error("the configuration is not told")
	}
	if strings.Contains(stdout, "from the store") {
		t.Error("something came from the store")
	}
	if !strings.Contains(stdout, "asks the others") || !strings.Contains(stdout, "a member sent it again") {
		t.Errorf("nobody asked or was answered:\n%s", stdout)
	}
}

// The configuration is the default one as long as it can be, and the output says which it was.
func TestConfiguration(t *testing.T) {
	for loss, want := range map[string]string{
		"0": "default configuration", "0.3": "default configuration", "0.4": "messages name 10 (default: 3)", "0.8": "messages name 10",
	} {
		o, err := parseOptions([]string{"-loss", loss}, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		d := newDemo(o)
		config, usual := d.config("ann", 1), sds.DefaultConfig()
		config.ParticipantID, config.Seed, config.Profile, config.SyncInLibsds = "", nil, usual.Profile, false
		if isDefault := config == usual; isDefault != strings.HasPrefix(want, "default") {
			t.Errorf("loss %s: %+v", loss, config)
		}
		if words := d.configWords(); !strings.HasPrefix(words, want) {
			t.Errorf("loss %s: said %q, want %q", loss, words, want)
		}
	}
}

// A terminal that no picture can be drawn on, such as one without TERM, gets plain lines.
func TestTerminalWithoutPicture(t *testing.T) {
	h := hooks{openLive: func() (*ui.Live, error) { return nil, errors.New("terminal not supported") }}
	status, stdout, stderr := demoOn(h, "-file", chat(t, 6))
	if status != exitOK || !strings.Contains(stdout, "all logs equal") || !strings.Contains(stderr, "plain lines") {
		t.Errorf("status %d: %s%s", status, stdout, stderr)
	}
}

func TestRefusals(t *testing.T) {
	for what, args := range map[string][]string{
		"no such file":      {"-file", filepath.Join(t.TempDir(), "nowhere")},
		"no speaker":        {"-file", file(t, "hello\n")},
		"one speaker":       {"-file", file(t, "ann: hello\nann: anybody?\n")},
		"empty file":        {"-file", file(t, "")},
		"impossible loss":   {"-file", chat(t, 3), "-loss", "1.5"},
		"loss and no store": {"-file", chat(t, 3), "-loss", "0.4", "-store=false"},
		"too much loss":     {"-file", chat(t, 3), "-loss", "0.81"},
		"negative history":  {"-file", chat(t, 3), "-history", "-1"},
		"impossible speed":  {"-file", chat(t, 3), "-speed", "-1"},
		"unknown profile":   {"-file", chat(t, 3), "-profile", "x"},
		"unexpected word":   {"-file", chat(t, 3), "surprise"},
		"undefined setting": {"-nonsense"},
	} {
		if status, _, stderr := demoRun(hooks{}, args...); status == 0 || strings.TrimSpace(stderr) == "" {
			t.Errorf("%s: status %d, errors %q", what, status, stderr)
		}
	}
}
