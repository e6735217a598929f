package sds

import "strconv"

// Status says why a call was refused. Each is an error by itself, for errors.Is; calls return it inside an [*Error],
// which adds the details.
type Status int32

// The reasons for which calls are refused. A refused call has changed nothing, unless its comment says otherwise.
const (
	// ErrInvalidArgument: a value is impossible, such as a time before 1970 or an unknown profile.
	ErrInvalidArgument Status = 1
	// ErrInvalidHandle: the Manager is nil or was not made by Open.
	ErrInvalidHandle Status = 2
	// ErrClosed: the manager is closed.
	ErrClosed Status = 3
	// ErrPoisoned: an earlier call on this manager ended in ErrPanic. Close it and open another.
	ErrPoisoned Status = 4
	// ErrPanic: the library panicked in this call, which is a bug in it. The manager is of no more use.
	ErrPanic Status = 5
	// ErrNotUTF8: an id, given or received, is not UTF-8.
	ErrNotUTF8 Status = 6
	// ErrInvalidConfig: the configuration contradicts itself; the detail names the field.
	ErrInvalidConfig Status = 7
	// ErrUnknownChannel: the channel is not open.
	ErrUnknownChannel Status = 8
	// ErrChannelOptionsDiffer: the channel is open already, with other options.
	ErrChannelOptionsDiffer Status = 9
	// ErrTooManyChannels: Config.MaxChannels are open.
	ErrTooManyChannels Status = 10
	// ErrNotSDS: the bytes are traffic of another kind, and may be treated as such.
	ErrNotSDS Status = 11
	// ErrMalformed: the bytes are a broken SDS message.
	ErrMalformed Status = 12
	// ErrTooLarge: a message, a field of it or a list in it is over a limit of the Config.
	ErrTooLarge Status = 13
	// ErrInvalidID: a message or channel id is empty or too long.
	ErrInvalidID Status = 14
	// ErrIDReused: the message id was used before, for other content.
	ErrIDReused Status = 15
	// ErrBytesGone: the message was sent before, and its bytes are no longer held.
	ErrBytesGone Status = 16
	// ErrIDMismatch: in a channel of derived ids, the message id is not derived from its message.
	ErrIDMismatch Status = 17
	// ErrEmptyContent: a message to send has no content.
	ErrEmptyContent Status = 18
	// ErrEphemeralUnsupported: the libsds profile has no ephemeral messages.
	ErrEphemeralUnsupported Status = 19
	// ErrUnknownMessage: the message is not one of ours, or no longer held.
	ErrUnknownMessage Status = 20
	// ErrTooManyUnacknowledged: Config.MaxUnacknowledged messages of ours wait to be acknowledged.
	ErrTooManyUnacknowledged Status = 21
	// ErrOutputsFull: Config.MaxOutputs outputs wait, or Config.MaxOutputBytes of them. Drain, then try again.
	ErrOutputsFull Status = 22
	// ErrNoResources: the system had no memory or no randomness to give.
	ErrNoResources Status = 23
	// ErrBufferTooSmall is used between this package and the library only.
	ErrBufferTooSmall Status = 24
	// ErrEnd is used between this package and the library only.
	ErrEnd Status = 25
	// ErrInvalidSize: this package was compiled with the header of another version of the library.
	ErrInvalidSize Status = 26
	// ErrStoreFailed: the store failed: its disk is full, it cannot be written, another manager has it locked. The detail
	// tells. What the call changed stays in memory, and is stored by a later one. See OpenStore.
	ErrStoreFailed Status = 27
	// ErrStoreUnusable: the store is damaged, was written by a later version, or is of another participant or program. It
	// stays as it is.
	ErrStoreUnusable Status = 28
	// ErrUnconfirmed: Config.MaxUnconfirmedBytes wait to be stored. Take the Offer, commit it and Confirm it.
	ErrUnconfirmed Status = 29
	// ErrWrongStore: the manager keeps its state in another way than the call is for.
	ErrWrongStore Status = 30
	// ErrNotBuiltIn: the library was built without what the call needs.
	ErrNotBuiltIn Status = 31
)

var statusTexts = [...]string{
	0:                       "success",
	ErrInvalidArgument:      "invalid argument",
	ErrInvalidHandle:        "invalid manager handle",
	ErrClosed:               "manager is closed",
	ErrPoisoned:             "manager is poisoned by an earlier panic",
	ErrPanic:                "internal panic",
	ErrNotUTF8:              "text is not UTF-8",
	ErrInvalidConfig:        "invalid configuration",
	ErrUnknownChannel:       "channel is not open",
	ErrChannelOptionsDiffer: "channel exists with other options",
	ErrTooManyChannels:      "too many channels",
	ErrNotSDS:               "not an SDS message",
	ErrMalformed:            "malformed SDS message",
	ErrTooLarge:             "over a size limit",
	ErrInvalidID:            "id is empty or too long",
	ErrIDReused:             "message id was used for other content",
	ErrBytesGone:            "message was sent before and its bytes are no longer held",
	ErrIDMismatch:           "message id is not derived from the message",
	ErrEmptyContent:         "content is empty",
	ErrEphemeralUnsupported: "the libsds profile has no ephemeral messages",
	ErrUnknownMessage:       "message is not one of ours, or no longer held",

	ErrTooManyUnacknowledged: "too many unacknowledged messages",
	ErrOutputsFull:           "too many undrained outputs",
	ErrNoResources:           "no memory or randomness from the system",
	ErrBufferTooSmall:        "buffer is too small",
	ErrEnd:                   "no more records",
	ErrInvalidSize:           "unknown structure size",
	ErrStoreFailed:           "the store failed",
	ErrStoreUnusable:         "the store cannot be used",
	ErrUnconfirmed:           "too much waits to be stored",
	ErrWrongStore:            "the manager keeps its state in another way",
	ErrNotBuiltIn:            "not built into this library",
}

// Error returns what the status means, in English.
func (s Status) Error() string {
	if s >= 0 && int(s) < len(statusTexts) {
		return "sds: " + statusTexts[s]
	}
	return "sds: unknown status " + strconv.Itoa(int(s))
}

// Error is a refused call. errors.Is finds its Status, errors.As finds the Error itself.
type Error struct {
	// Status is the reason, for programs.
	Status Status
	// Detail is what was wrong, for people: it names the channel, the field or the limit. It may be empty.
	Detail string
}

// Error returns the detail, or the meaning of the status if there is none.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Status.Error()
	}
	return "sds: " + e.Detail
}

// Unwrap returns the Status.
func (e *Error) Unwrap() error {
	return e.Status
}
