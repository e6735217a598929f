package ui

import (
	"strings"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
)

// Table aligns rows under a head: the first column to the left, the others, numbers, to the right.
func Table(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Width(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			if i == 0 {
				line.WriteString(Pad(cell, widths[i]))
			} else {
				line.WriteString("  " + PadLeft(cell, widths[i]))
			}
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}

// Results is the table at the end: who sent, missed and recovered how much, by which way, and what it cost. What came by
// neither store nor repair came by itself: it was resent, or only late.
func Results(participants []board.Participant) string {
	rows := [][]string{{
		"participant", "sent", "acked", "resent", "missed", "recovered", "by store", "by repair", "asked", "answered",
		"packets", "dropped", "bytes",
	}}
	var all board.Participant
	row := func(p board.Participant) {
		rows = append(rows, []string{
			Clean(p.Name), Count(p.Sent), Count(p.Acknowledged), Count(p.Resent), Count(p.Missed), Count(p.Recovered),
			Count(p.ByStore), Count(p.ByRepair), Count(p.Asked), Count(p.Answered),
			Count(p.Counters.Packets), Count(p.Counters.Dropped), Bytes(p.Counters.Bytes),
		})
		all.Sent += p.Sent
		all.Acknowledged += p.Acknowledged
		all.Resent += p.Resent
		all.Missed += p.Missed
		all.Recovered += p.Recovered
		all.ByStore += p.ByStore
		all.ByRepair += p.ByRepair
		all.Asked += p.Asked
		all.Answered += p.Answered
		all.Counters.Packets += p.Counters.Packets
		all.Counters.Dropped += p.Counters.Dropped
		all.Counters.Bytes += p.Counters.Bytes
	}
	for _, p := range participants {
		row(p)
	}
	all.Name = "all"
	row(all)
	return Table(rows)
}
