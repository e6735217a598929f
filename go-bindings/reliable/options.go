package reliable

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/status-im/sds-rs/go-bindings/sds"
)

// Config is what a [Client] is made from. Begin with [DefaultConfig].
type Config struct {
	// SDS is the configuration of the engine. Its ParticipantID says who we are, per installation, and must not be empty.
	SDS sds.Config
	// StorePath is the file that the engine keeps its state in (sds.OpenStore). Empty: in memory only, unless there is an
	// External.
	StorePath string
	// StoreOptions says how the file is opened.
	StoreOptions sds.StoreOptions
	// External keeps the state of the engine in a database of the host (sds.OpenExternal); nil: not.
	External *External

	// RateLimiter limits what goes out. Default: nil, no limit.
	RateLimiter *RateLimiter

	// PublishAttempts is how often a payload is given to a node that fails, before a SendError tells so. Default: 5.
	PublishAttempts int
	// PublishTimeout is how long the node may take to publish. Default: 30 s.
	PublishTimeout time.Duration
	// PublishBackoff is the pause after a failure, doubling with each that follows, up to PublishBackoffMax. Defaults: 1 s,
	// 30 s.
	PublishBackoff, PublishBackoffMax time.Duration

	// FetchBatch is how many hashes a store is asked for at once. Default: 50.
	FetchBatch int
	// FetchTimeout is how long a store may take to answer. Default: 30 s.
	FetchTimeout time.Duration
	// FetchBackoff is the pause before what was not found, or the store that failed, is asked for again; it doubles each time
	// up to FetchBackoffMax, and varies by a quarter. Defaults: 1 s, 2 min.
	FetchBackoff, FetchBackoffMax time.Duration

	// Clock is the time that everything lives in. Default: nil, the time of day.
	Clock Clock
	// Logger is told what goes on. Default: nil, nobody.
	Logger *zap.Logger
}

// External keeps the records of an engine in a database of the host. See sds.OpenExternal.
type External struct {
	// Records are all that is kept.
	Records []sds.StoredRecord
	// Commit writes all of it, or fails. What depends on it is neither published nor told before; after an error it is tried
	// again with the same. It is called from the goroutines of the client, and from those that call its methods, one at a
	// time, and must call no method of the client.
	Commit func(writes []sds.Write) error
}

// DefaultConfig returns the defaults, for a participant. The id is per installation, not per user.
func DefaultConfig(senderID sds.ParticipantID) Config {
	config := Config{
		SDS:             sds.DefaultConfig(),
		PublishAttempts: 5, PublishTimeout: 30 * time.Second, PublishBackoff: time.Second, PublishBackoffMax: 30 * time.Second,
		FetchBatch: 50, FetchTimeout: 30 * time.Second, FetchBackoff: time.Second, FetchBackoffMax: 2 * time.Minute,
	}
	config.SDS.ParticipantID = senderID
	return config
}

func (c *Config) check() error {
	switch {
	case c.SDS.ParticipantID == "":
		return errors.New("reliable: Config.SDS.ParticipantID is empty")
	case c.SDS.AutoOpenChannels:
		return errors.New("reliable: Config.SDS.AutoOpenChannels: channels are opened by CreateReliableChannel only")
	case c.External != nil && c.StorePath != "":
		return errors.New("reliable: Config has both a StorePath and an External")
	case c.External != nil && c.External.Commit == nil:
		return errors.New("reliable: Config.External.Commit is nil")
	case c.PublishAttempts < 1 || c.FetchBatch < 1:
		return errors.New("reliable: Config.PublishAttempts and FetchBatch must be at least 1")
	case c.PublishTimeout <= 0 || c.FetchTimeout <= 0:
		return errors.New("reliable: Config.PublishTimeout and FetchTimeout must be above 0")
	case c.PublishBackoff <= 0 || c.PublishBackoffMax < c.PublishBackoff:
		return errors.New("reliable: Config.PublishBackoff must be above 0 and at most PublishBackoffMax")
	case c.FetchBackoff <= 0 || c.FetchBackoffMax < c.FetchBackoff:
		return errors.New("reliable: Config.FetchBackoff must be above 0 and at most FetchBackoffMax")
	}
	return nil
}

// ChannelOptions says how a channel is opened. The zero value is the usual way.
type ChannelOptions struct {
	// SDS says how the engine opens it.
	SDS sds.ChannelOptions
	// Encryption encrypts payloads. Default: nil, none.
	Encryption Encryption
	// Untagged leaves out the [Tag], and looks for none: for a topic that carries nothing else. All members must agree on it, and
	// others of LIP 173 have the tag. Default: no.
	Untagged bool
	// Segmentation splits large payloads; all members must agree on whether there is one. Default: nil, none.
	Segmentation *Segmentation
	// Replay brings the stored log as Received events, marked, before anything new: for an app that has no log of its own.
	// Default: no.
	Replay bool
	// EventLimit is how many events may be unread before nothing more is taken in. Default: 1,024.
	EventLimit int
	// EventBytes is how much these may hold. Default: 32 MiB.
	EventBytes int
}

func (o *ChannelOptions) complete(config *Config) error {
	if o.EventLimit < 0 || o.EventBytes < 0 {
		return errors.New("reliable: ChannelOptions.EventLimit and EventBytes must not be negative")
	}
	if o.EventLimit == 0 {
		o.EventLimit = 1_024
	}
	if o.EventBytes == 0 {
		o.EventBytes = 32 << 20
	}
	if o.Segmentation == nil {
		return nil
	}
	segmentation, err := o.Segmentation.complete(config)
	if err != nil {
		return fmt.Errorf("reliable: ChannelOptions.Segmentation: %w", err)
	}
	o.Segmentation = segmentation
	return nil
}
