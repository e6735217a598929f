package sds

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// maxPause bounds a sleep of Run: timers stand still while a machine is suspended, and know nothing of a wall clock
	// that is set.
	maxPause = time.Minute
	// overduePause keeps Run from spinning, should a deadline stay due after a tick.
	overduePause = 50 * time.Millisecond
)

// Run drives the manager until ctx is done or the manager is closed, and returns ctx.Err() or ErrClosed. It sleeps until
// the next deadline, or until another call may have made outputs or a nearer deadline; it ticks with time.Now(), drains,
// and hands each output to handle, on the goroutine that called Run, one after the other. Handle may call any method of
// the manager, Close included. Outputs that were drained are handed over before Run returns.
//
// It also returns the error of a store that fails, ErrStoreFailed: call it again when you like, and see whether it works.
//
// One Run per manager at a time: another gets ErrInvalidArgument. Use real time for the other calls, too. A manager of
// OpenExternal, where someone has to commit after every step, gets ErrWrongStore: it needs a loop of its own.
func (m *Manager) Run(ctx context.Context, handle func(Output)) error {
	if m.id() == 0 {
		return errNoManager
	}
	if handle == nil {
		return &Error{Status: ErrInvalidArgument, Detail: "handle is nil"}
	}
	if m.kept == byHost {
		return &Error{Status: ErrWrongStore, Detail: "Run cannot commit what OpenExternal leaves to the host"}
	}
	if !runs.begin(m) {
		return &Error{Status: ErrInvalidArgument, Detail: "the manager is being run already"}
	}
	defer runs.end(m)
	timer := time.NewTimer(maxPause)
	defer timer.Stop()

	// No wake-up is lost: a call leaves its token after its effect, the token stays until it is taken below, and what
	// follows its taking looks at everything anew. One token is enough for any number of calls before that.
	ticked := false
	for ctx.Err() == nil {
		outputs, err := m.Drain()
		for _, output := range outputs {
			handle(output)
		}
		if err != nil {
			return err
		}
		deadline, ok, err := m.NextDeadline()
		if err != nil {
			return err
		}
		var alarm <-chan time.Time
		if ok {
			now := time.Now()
			pause := deadline.Sub(now)
			if pause <= 0 && !ticked {
				err := m.tickInRun(now)
				full := errors.Is(err, ErrOutputsFull)
				if err != nil && !full {
					return err
				}
				ticked = !full // full: drain, and tick again at once
				continue
			}
			if pause <= 0 {
				pause = overduePause
			}
			timer.Reset(min(pause, maxPause))
			alarm = timer.C
		}
		ticked = false
		select {
		case <-ctx.Done():
		case <-m.wake:
		case <-alarm:
		}
	}
	return ctx.Err()
}

// tickInRun ticks without leaving a token: Run looks anyway.
func (m *Manager) tickInRun(now time.Time) error {
	ms, err := unixMilli(now)
	if err != nil {
		return err
	}
	return cTick(m.id(), ms)
}

// runs knows the managers that are being run: Shutdown closes them behind their backs, and has to wake them.
var runs = running{managers: make(map[*Manager]struct{})}

type running struct {
	mutex    sync.Mutex
	managers map[*Manager]struct{}
}

// begin returns false if the manager is being run already.
func (r *running) begin(m *Manager) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if _, ok := r.managers[m]; ok {
		return false
	}
	r.managers[m] = struct{}{}
	return true
}

func (r *running) end(m *Manager) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.managers, m)
}

func (r *running) notifyAll() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for m := range r.managers {
		m.notify()
	}
}
