package ui

import (
	"context"
	"os"
	"time"

	"github.com/gdamore/tcell/v2"
	"golang.org/x/term"
)

// IsTerminal tells whether a live picture can be drawn there.
func IsTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb"
}

// Live is a terminal with a live picture.
type Live struct {
	screen tcell.Screen
	events chan tcell.Event
	quit   chan struct{}
}

// OpenLive takes the terminal over until Close.
func OpenLive() (*Live, error) {
	screen, err := tcell.NewScreen()
	if err != nil {
		return nil, err
	}
	if err := screen.Init(); err != nil {
		return nil, err
	}
	return NewLive(screen), nil
}

// NewLive draws on a screen that is open already.
func NewLive(screen tcell.Screen) *Live {
	live := &Live{screen: screen, events: make(chan tcell.Event, 64), quit: make(chan struct{})}
	go screen.ChannelEvents(live.events, live.quit)
	return live
}

// frame is how often the picture is drawn.
const frame = 100 * time.Millisecond

// Run draws until the context ends or Ctrl-C is pressed, which it reports. Keys are given to key, if that is not nil;
// key returns false to end.
func (l *Live) Run(ctx context.Context, draw func(tcell.Screen), key func(*tcell.EventKey) bool) (interrupted bool) {
	ticker := time.NewTicker(frame)
	defer ticker.Stop()
	for {
		draw(l.screen)
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		case event, open := <-l.events:
			if !open {
				return true
			}
			switch event := event.(type) {
			case *tcell.EventResize:
				l.screen.Sync()
			case *tcell.EventKey:
				if event.Key() == tcell.KeyCtrlC {
					return true
				}
				if key != nil && !key(event) {
					return false
				}
			}
		}
	}
}

// Close gives the terminal back as it was.
func (l *Live) Close() {
	close(l.quit)
	l.screen.Fini()
}
