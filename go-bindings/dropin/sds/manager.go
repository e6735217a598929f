package sds

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waku-org/sds-go-bindings/engine"
)

// ReliabilityManager is the state of one participant in any number of channels. Make it with [NewReliabilityManager] or
// [NewReliabilityManagerWith], and call Cleanup when it is no longer needed: until then it has a goroutine.
type ReliabilityManager struct {
	engine    *engine.Manager
	config    engine.Config
	logger    *zap.Logger
	onOutput  func(engine.Output)
	callbacks atomic.Pointer[EventCallbacks]
	// started holds a token when periodic tasks were started.
	started chan struct{}
	// era counts what ends all that is to be told: Reset and Cleanup. It changes under the mutex.
	era atomic.Uint64

	// mutex keeps the engine's outputs in order with what calls return: whoever makes some holds it until they are queued.
	mutex  sync.Mutex
	closed bool
	// queue holds what is to be told, queuedBytes how many bytes of contents are in it.
	queue       []event
	queuedBytes int
	// syncAt is when OnPeriodicSync is due; zero before StartPeriodicTasks.
	syncAt time.Time
	// host is what is known of the program's database, if the state is kept there.
	host *host
}

var (
	errNoManager = &engine.Error{Status: engine.ErrInvalidHandle, Detail: "the ReliabilityManager is nil or was not made by New"}
	errNoID      = &engine.Error{Status: engine.ErrInvalidID, Detail: "the message id is empty"}
	errBusy      = &engine.Error{Status: engine.ErrOutputsFull, Detail: "too many callbacks wait for one that does not return"}
)

// NewReliabilityManager makes a manager without an identity, whose state is in memory only. It sees its own messages like
// anybody's. The logger may be nil.
func NewReliabilityManager(logger *zap.Logger) (*ReliabilityManager, error) {
	return NewReliabilityManagerWith(Options{Logger: logger})
}

// RegisterCallbacks sets the callbacks, in place of those that were set before. What happened while there were none is not
// told later.
func (rm *ReliabilityManager) RegisterCallbacks(callbacks EventCallbacks) {
	if rm != nil {
		rm.callbacks.Store(&callbacks)
	}
}

// WrapOutgoingMessage makes a message ready to be broadcast, and keeps it until somebody is known to have it. Wrapping it
// again under its id is a retry, and changes nothing. The bytes returned belong to the caller.
//
// Errors: engine.ErrEmptyContent; engine.ErrInvalidID for an empty or too long id; engine.ErrIDReused if the id was used
// for other content; others as engine.Manager.WrapOutgoing.
func (rm *ReliabilityManager) WrapOutgoingMessage(message []byte, messageId MessageID, channelId string) ([]byte, error) {
	if !rm.made() {
		return nil, errNoManager
	}
	if messageId == "" {
		return nil, errNoID
	}
	if rm.host != nil {
		return rm.wrapInStep(message, messageId, channelId)
	}
	if callbacks := rm.callbacks.Load(); callbacks != nil && callbacks.RetrievalHintProvider != nil {
		rm.provideHints(channelId, callbacks.RetrievalHintProvider)
	}
	wrapped, err := rm.wrap(message, messageId, channelId)
	return wrapped.Data, err
}

func (rm *ReliabilityManager) wrap(message []byte, messageID MessageID, channelID string) (engine.Wrapped, error) {
	id := engine.MessageID(messageID)
	wrapped, err := rm.engine.WrapOutgoing(channelID, id, message, time.Now())
	if !errors.Is(err, engine.ErrBytesGone) && !errors.Is(err, engine.ErrIDReused) {
		return wrapped, err
	}
	if _, unknown := rm.engine.MessageStatus(channelID, id); unknown == nil {
		return wrapped, err // it has the message, and its content is another
	}
	return rm.wrapAgain(message, id, channelID)
}

// wrapAgain makes a message anew that was sent or received so long ago that its bytes are gone: a retry must not fail for
// that. What it says besides the content is nothing.
func (rm *ReliabilityManager) wrapAgain(message []byte, id engine.MessageID, channelID string) (engine.Wrapped, error) {
	other, err := engine.Open(rm.config)
	if err != nil {
		return engine.Wrapped{}, err
	}
	defer other.Close()
	return other.WrapOutgoing(channelID, id, message, time.Now())
}

func (rm *ReliabilityManager) provideHints(channelID string, provide func(MessageID) []byte) {
	rm.noHint(channelID, rm.engine.ProvideHints(channelID, func(id engine.MessageID) []byte { return provide(MessageID(id)) }))
}

// noHint never stops a message: without a hint it is only harder to fetch those that it names.
func (rm *ReliabilityManager) noHint(channelID string, err error) {
	if err != nil && !errors.Is(err, engine.ErrUnknownChannel) {
		rm.logger.Debug("SDS retrieval hint", zap.String("channelId", channelID), zap.Error(err))
	}
}

// UnwrapReceivedMessage takes in bytes from the network. It returns the content at once, also of a message that waits for
// others, came before, or is our own.
//
// Errors: engine.ErrNotSDS for traffic of another kind, and others as engine.Manager.UnwrapIncoming;
// engine.ErrOutputsFull also if a callback does not return, and Config.MaxOutputs or MaxOutputBytes wait behind it.
func (rm *ReliabilityManager) UnwrapReceivedMessage(message []byte) (*UnwrappedMessage, error) {
	if !rm.made() {
		return nil, errNoManager
	}
	var received *UnwrappedMessage
	err := rm.step(func() error {
		if len(rm.queue) >= rm.config.MaxOutputs || rm.queuedBytes >= rm.config.MaxOutputBytes {
			return errBusy
		}
		u, err := rm.engine.UnwrapIncoming(message, time.Now())
		if err != nil {
			return err
		}
		received = newUnwrapped(&u)
		rm.tell(&u, received)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return received, nil
}

// tell queues what a received message calls for.
func (rm *ReliabilityManager) tell(u *engine.Unwrapped, received *UnwrappedMessage) {
	id := MessageID(u.MessageID)
	switch u.Disposition {
	case engine.DispositionDelivered, engine.DispositionBeforeUs, engine.DispositionLate:
		rm.push(event{kind: ready, messageID: id, channelID: u.ChannelID})
	case engine.DispositionWaiting:
		rm.waits(u)
		// The caller may do with its list what it likes.
		rm.push(event{kind: missing, messageID: id, channelID: u.ChannelID, missing: entries(u.Unmet)})
	}
}

// MarkDependenciesMet tells that messages are here by other means: what waits for them waits no longer. Ids never heard of
// are fine.
//
// Errors: engine.ErrUnknownChannel; others as engine.Manager.MarkDependenciesMet.
func (rm *ReliabilityManager) MarkDependenciesMet(messageIDs []MessageID, channelId string) error {
	if !rm.made() {
		return errNoManager
	}
	ids := make([]engine.MessageID, len(messageIDs))
	for i, id := range messageIDs {
		ids[i] = engine.MessageID(id)
	}
	return rm.step(func() error { return rm.engine.MarkDependenciesMet(channelId, ids, time.Now()) })
}

// StartPeriodicTasks starts OnPeriodicSync; again, it does nothing. All else that takes time, such as giving up what was
// waited for too long, happens without it.
func (rm *ReliabilityManager) StartPeriodicTasks() error {
	if !rm.made() {
		return errNoManager
	}
	rm.mutex.Lock()
	defer rm.mutex.Unlock()
	if _, _, err := rm.engine.NextDeadline(); err != nil {
		return err // it is closed
	}
	if rm.syncAt.IsZero() {
		rm.syncAt = time.Now()
		rm.started <- struct{}{}
	}
	return nil
}

// Reset forgets every channel and all that was not told yet, as if the manager had just been made.
func (rm *ReliabilityManager) Reset() error {
	if !rm.made() {
		return errNoManager
	}
	return rm.step(func() error {
		if err := rm.engine.Reset(); err != nil {
			return err
		}
		rm.era.Add(1)
		rm.queue, rm.queuedBytes = nil, 0
		return nil
	})
}

// Cleanup closes the manager and releases all it holds. It waits for calls that other goroutines have inside; later ones
// fail, another Cleanup included. It does not wait for a callback that is under way, so that a callback may call it; no
// other begins.
//
// Errors: engine.ErrClosed; engine.ErrStoreFailed, or that of the Database, if not all could be stored: it is closed all
// the same.
func (rm *ReliabilityManager) Cleanup() error {
	if !rm.made() {
		return errNoManager
	}
	unsaved, err := rm.end()
	if err != nil {
		return err
	}
	return errors.Join(unsaved, rm.engine.Close())
}

// end lets no callback begin any more. It writes to the database of the program what is not there yet.
func (rm *ReliabilityManager) end() (unsaved, err error) {
	rm.mutex.Lock()
	defer rm.mutex.Unlock()
	if rm.closed {
		return nil, engine.ErrClosed
	}
	if rm.host != nil {
		unsaved = rm.inStep(rm.engine.Flush)
	}
	rm.closed = true
	rm.era.Add(1)
	rm.queue = nil
	return unsaved, nil
}

// Engine is the engine below, for what this package does not offer: see package engine. Leave it to the manager to tick,
// drain, commit and close it.
func (rm *ReliabilityManager) Engine() *engine.Manager {
	if rm == nil {
		return nil
	}
	return rm.engine
}

func (rm *ReliabilityManager) made() bool { return rm != nil && rm.engine != nil }
