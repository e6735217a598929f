package sds

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/waku-org/sds-go-bindings/engine"
)

const (
	// syncInterval is how often OnPeriodicSync is called.
	syncInterval = 30 * time.Second
	// longestPause bounds a sleep until a deadline: timers stand still while a machine is suspended.
	longestPause = time.Minute
	// retryPause is the pause after a tick that failed, or after which something is still due.
	retryPause = time.Second
	// keepEvents is the most events for which memory is kept.
	keepEvents = 1024
)

// noCallbacks are those of a manager that has none yet.
var noCallbacks EventCallbacks

// What callbacks are called for.
type kind int

const (
	ready kind = iota
	missing
	periodic
	output
)

// event is something to be told.
type event struct {
	kind      kind
	messageID MessageID
	channelID string
	missing   []HistoryEntry
	output    engine.Output
}

// bytes is how much it holds besides ids and hints.
func (e *event) bytes() int {
	switch o := e.output.(type) {
	case engine.Delivered:
		return len(o.Content)
	case engine.Transmit:
		return len(o.Data)
	}
	return 0
}

// step makes a call of the engine that may make outputs, and queues what follows from it.
func (rm *ReliabilityManager) step(call func() error) error {
	rm.mutex.Lock()
	defer rm.mutex.Unlock()
	return rm.inStep(call)
}

// inStep is step for who has the mutex.
func (rm *ReliabilityManager) inStep(call func() error) error {
	if rm.host != nil {
		return rm.commitStep(call)
	}
	err := call()
	rm.drain()
	return err
}

// drain queues what the engine has to tell. If that fails, the manager was closed or its store fails: the call at hand or the
// next one returns that.
func (rm *ReliabilityManager) drain() {
	outputs, _ := rm.engine.Drain()
	for _, o := range outputs {
		rm.enqueue(event{kind: output, output: o})
	}
}

// push queues what a call has to tell; where it has to be committed first, for then.
func (rm *ReliabilityManager) push(e event) {
	if rm.host != nil {
		rm.host.events = append(rm.host.events, e)
		return
	}
	rm.enqueue(e)
}

func (rm *ReliabilityManager) enqueue(e event) {
	rm.queue = append(rm.queue, e)
	rm.queuedBytes += e.bytes()
}

// run is the goroutine of the manager: it calls the callbacks, and ticks. It is woken by every call of the engine that may
// have made something to tell; who made it has the mutex until that is queued.
//
// engine.Manager.Run would not do: what a call returns and what it leaves to be drained have to be told in one order, and
// what the program keeps in its database is committed in between.
func (rm *ReliabilityManager) run() {
	timer := time.NewTimer(longestPause)
	defer timer.Stop()
	var events []event
	for {
		var era uint64
		var pause time.Duration
		var err error
		if events, era, pause, err = rm.look(events[:0]); err != nil {
			if !errors.Is(err, engine.ErrClosed) {
				rm.logger.Error("SDS stopped", zap.Error(err))
			}
			return
		}
		for i := range events {
			if rm.era.Load() != era {
				break
			}
			rm.call(&events[i])
		}
		if len(events) > 0 {
			clear(events) // what was told may be freed
			if cap(events) > keepEvents {
				events = nil
			}
			continue
		}
		var alarm <-chan time.Time
		if pause > 0 {
			timer.Reset(pause)
			alarm = timer.C
		}
		select {
		case <-rm.engine.Wake():
		case <-rm.started:
		case <-alarm:
		}
	}
}

// look does what is due and takes what is to be told, in exchange for memory to queue more in. If there is nothing, it tells
// how long to sleep; 0: until woken. An error means that the manager is of no more use.
func (rm *ReliabilityManager) look(memory []event) (events []event, era uint64, pause time.Duration, err error) {
	rm.mutex.Lock()
	defer rm.mutex.Unlock()
	if rm.closed {
		return nil, 0, 0, engine.ErrClosed
	}
	now := time.Now()
	if !rm.syncAt.IsZero() && !now.Before(rm.syncAt) {
		rm.enqueue(event{kind: periodic})
		if rm.syncAt = rm.syncAt.Add(syncInterval); rm.syncAt.Before(now) {
			rm.syncAt = now.Add(syncInterval)
		}
	}
	pause, err = rm.tick(now)
	if err != nil {
		return nil, 0, 0, err
	}
	if !rm.syncAt.IsZero() && (pause == 0 || pause > rm.syncAt.Sub(now)) {
		pause = rm.syncAt.Sub(now)
	}
	events, rm.queue, rm.queuedBytes = rm.queue, memory, 0
	return events, rm.era.Load(), pause, nil
}

// tick ticks if that is due, queues what the engine has to tell, whoever made it, and returns how long to sleep; 0: however
// long. An error means that the manager is of no more use.
func (rm *ReliabilityManager) tick(now time.Time) (time.Duration, error) {
	deadline, ok, err := rm.engine.NextDeadline()
	if err != nil {
		return 0, err
	}
	due := ok && !deadline.After(now)
	failed := rm.inStep(func() error {
		if due {
			return rm.engine.Tick(now)
		}
		return nil
	})
	full := errors.Is(failed, engine.ErrOutputsFull) // no more of what is due fits: the rest comes when that is told
	if failed != nil && !full {
		rm.logger.Warn("SDS", zap.Error(failed))
	}
	if deadline, ok, err = rm.engine.NextDeadline(); err != nil {
		return 0, err
	}
	switch {
	case failed != nil || ok && !deadline.After(now): // try again
		return retryPause, nil
	case ok:
		return min(deadline.Sub(now), longestPause), nil
	}
	return 0, nil
}

// call calls what an event is for.
func (rm *ReliabilityManager) call(e *event) {
	callbacks := rm.callbacks.Load()
	if callbacks == nil {
		callbacks = &noCallbacks
	}
	switch e.kind {
	case ready:
		callbacks.ready(e.messageID, e.channelID)
	case missing:
		if callbacks.OnMissingDependencies != nil {
			callbacks.OnMissingDependencies(e.messageID, e.missing, e.channelID)
		}
	case periodic:
		if callbacks.OnPeriodicSync != nil {
			callbacks.OnPeriodicSync()
		}
	case output:
		rm.callFor(callbacks, e.output)
	}
}

func (rm *ReliabilityManager) callFor(callbacks *EventCallbacks, o engine.Output) {
	switch o := o.(type) {
	case engine.Delivered:
		callbacks.ready(MessageID(o.MessageID), o.ChannelID)
	case engine.Acknowledged:
		if callbacks.OnMessageSent != nil {
			callbacks.OnMessageSent(MessageID(o.MessageID), o.ChannelID)
		}
	case engine.Failed:
		rm.logger.Warn("nobody confirmed a message", zap.String("messageId", string(o.MessageID)), zap.String("channelId", o.ChannelID))
	case engine.Lost:
		rm.logger.Warn("a message is lost", zap.String("messageId", string(o.MessageID)), zap.String("channelId", o.ChannelID))
	}
	if rm.onOutput != nil {
		rm.onOutput(o)
	}
}

func (c *EventCallbacks) ready(messageID MessageID, channelID string) {
	if c.OnMessageReady != nil {
		c.OnMessageReady(messageID, channelID)
	}
}
