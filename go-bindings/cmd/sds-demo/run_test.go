package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
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

// demoRun runs the program and returns its exit status and what it wrote.
func demoRun(tamper func([]chatlog.Named), args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(context.Background(), append([]string{"-plain", "-speed", "300", "-seed", "3"}, args...), &out, &err, tamper)
	return status, out.String(), err.String()
}

// lastLine is what the demo promises to end with.
var lastLine = regexp.MustCompile(`^demo: 30 messages, 3 participants, [1-9]\d* packets dropped: all logs equal$`)

func TestEndsWithEqualLogs(t *testing.T) {
	for _, profile := range []string{"libsds", "rfc"} {
		status, stdout, stderr := demoRun(nil, "-file", chat(t, 30), "-loss", "0.3", "-profile", profile)
		lines := strings.Split(strings.TrimSpace(stdout), "\n")
		if last := lines[len(lines)-1]; status != 0 || !lastLine.MatchString(last) {
			t.Errorf("%s: status %d, last line %q, errors %q", profile, status, last, stderr)
		}
		if strings.Contains(stdout, "\x1b") {
			t.Errorf("%s: escape codes where there is no terminal", profile)
		}
	}
}

func TestUnequalLogsFail(t *testing.T) {
	status, stdout, _ := demoRun(func(logs []chatlog.Named) {
		logs[1].Log = new(chatlog.Log)
	}, "-file", chat(t, 12))
	if status == 0 || strings.Contains(stdout, "all logs equal") {
		t.Errorf("status %d: %s", status, stdout)
	}
}

func TestRefusals(t *testing.T) {
	for what, args := range map[string][]string{
		"no such file":      {"-file", filepath.Join(t.TempDir(), "nowhere")},
		"no speaker":        {"-file", file(t, "hello\n")},
		"one speaker":       {"-file", file(t, "ann: hello\nann: anybody?\n")},
		"empty file":        {"-file", file(t, "")},
		"impossible loss":   {"-file", chat(t, 3), "-loss", "1.5"},
		"impossible speed":  {"-file", chat(t, 3), "-speed", "-1"},
		"unknown profile":   {"-file", chat(t, 3), "-profile", "x"},
		"unexpected word":   {"-file", chat(t, 3), "surprise"},
		"undefined setting": {"-nonsense"},
	} {
		if status, _, stderr := demoRun(nil, args...); status == 0 || strings.TrimSpace(stderr) == "" {
			t.Errorf("%s: status %d, errors %q", what, status, stderr)
		}
	}
}
