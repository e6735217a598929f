package main

import (
	"fmt"
	"io"
	"sync"

	"github.com/status-im/sds-rs/go-bindings/internal/board"
	"github.com/status-im/sds-rs/go-bindings/internal/chatnet"
	"github.com/status-im/sds-rs/go-bindings/internal/ui"
)

// printer tells the chat in plain lines: each message when everybody has it, and what it took.
type printer struct {
	mu     sync.Mutex
	w      io.Writer
	others int
}

func (p *printer) event(e chatnet.Event, m board.Message, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clock := ui.Time(e.At.Sub(epoch))
	switch e.Kind {
	case chatnet.Delivered:
		if known && m.Have == p.others {
			fmt.Fprintf(p.w, "%s  #%d %s: %s  [%s]\n", clock, m.Number, ui.Clean(m.Sender), ui.Clean(m.Text), m.State)
		}
	case chatnet.Resent:
		fmt.Fprintf(p.w, "%s      %s resends #%d\n", clock, ui.Clean(e.Node), m.Number)
	case chatnet.Recovered:
		way := "it came after all"
		switch e.Via {
		case chatnet.ViaStore:
			way = "fetched from the store"
		case chatnet.ViaRepair:
			way = "a member sent it again"
		}
		fmt.Fprintf(p.w, "%s      %s missed #%d: %s, %.1f s later\n", clock, ui.Clean(e.Node), m.Number, way, e.After.Seconds())
	case chatnet.Asked:
		fmt.Fprintf(p.w, "%s      %s asks the others for #%d\n", clock, ui.Clean(e.Node), m.Number)
	case chatnet.Answered:
		fmt.Fprintf(p.w, "%s      %s answers with #%d\n", clock, ui.Clean(e.Node), m.Number)
	case chatnet.Lost:
		fmt.Fprintf(p.w, "%s      %s waited too long for #%d\n", clock, ui.Clean(e.Node), m.Number)
	case chatnet.Failed, chatnet.Unconfirmed:
		fmt.Fprintf(p.w, "%s      %s gives up #%d for now\n", clock, ui.Clean(e.Node), m.Number)
	case chatnet.Problem:
		fmt.Fprintf(p.w, "%s      %s: %s\n", clock, ui.Clean(e.Node), e.Text)
	}
}
