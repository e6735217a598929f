package main

import (
	"fmt"
	"io"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
	"github.com/status-im/sds-rs/go-bindings/internal/chatlog"
	"github.com/status-im/sds-rs/go-bindings/internal/ui"
)

// report prints the table and the verdict.
func (d *demo) report(stdout, stderr io.Writer, err error, h hooks) int {
	s := d.board.Snapshot(0)
	fmt.Fprintf(stdout, "\n%s\n%s\n", ui.Results(s.Participants), d.setting())
	logs := d.board.Logs()
	if h.tamper != nil {
		h.tamper(logs)
	}
	checked := ""
	if err == nil {
		checked, err = check(logs, d.board.Histories(), len(d.transcript.Lines))
	}
	verdict, status := "all logs equal", exitOK
	if err != nil {
		fmt.Fprintln(stderr, "sds-demo:", err)
		d.explain(stderr, s)
		verdict, status = "failed", exitFailed
	} else {
		fmt.Fprintf(stdout, "After %s of chat: %s\n", ui.Time(s.Now.Sub(epoch)), checked)
	}
	fmt.Fprintf(stdout, "demo: %d messages, %d participants, %d packets dropped: %s\n",
		len(d.transcript.Lines), len(logs), s.Dropped, verdict)
	return status
}

// check looks at what everybody has, and says what it looked at.
func check(logs []chatlog.Log, histories map[string][]string, total int) (said string, err error) {
	// First where logs differ, which says more than that one lacks something.
	if err := chatlog.Equal(logs); err != nil {
		return "", err
	}
	named, gaps := 0, 0
	for _, log := range logs {
		if err := chatlog.Complete(log, total); err != nil {
			return "", err
		}
		if err := chatlog.Ascending(log); err != nil {
			return "", err
		}
		n, g, err := chatlog.Causal(log, histories)
		if err != nil {
			return "", err
		}
		named, gaps = named+n, gaps+g
	}
	said = fmt.Sprintf("the logs inside all %d engines hold the same %d messages in the same order, by timestamp and id,\n"+
		"and nobody was shown a message before one that it names (%s checked)", len(logs), total, ui.Plural(named, "name"))
	if gaps > 0 {
		said += fmt.Sprintf(",\nexcept for %s that had been given up", ui.Plural(gaps, "name"))
	}
	return said + ".", nil
}

// explain tells who still lacks what.
func (d *demo) explain(w io.Writer, s board.Snapshot) {
	for _, p := range s.Participants {
		if p.InOrder < s.Total || p.Acknowledged < p.Sent {
			fmt.Fprintf(w, "  %s has %d of %d messages in order, misses %d, holds %d that wait; %d of its %d are acknowledged\n",
				p.Name, p.InOrder, s.Total, p.Status.Missing, p.Status.Waiting, p.Acknowledged, p.Sent)
		}
	}
}
