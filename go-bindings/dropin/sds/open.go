package sds

import (
	"time"

	"go.uber.org/zap"

	"github.com/waku-org/sds-go-bindings/engine"
)

// Options say what a manager is made from. The zero value is what NewReliabilityManager uses.
type Options struct {
	// Logger gets what goes wrong without a call to return it, what is lost, and what nobody confirmed; nil: nobody does.
	Logger *zap.Logger
	// ParticipantID says who we are: unique per installation, not per user. With one, messages of our own are known again
	// when they come back, and what is missing is asked for among the members (SDS-R).
	ParticipantID string
	// Store says where the state is kept; nil: in memory only.
	Store Store
	// Config holds the limits and intervals; nil: those of DefaultConfig. Its ParticipantID counts if that above is empty;
	// channels are opened by use, whatever it says.
	Config *engine.Config
	// OnOutput gets everything that the engine has to tell, in order and on the goroutine of the callbacks; nil: what the
	// callbacks have no place for is dropped. An engine.Transmit is to be broadcast: a resend, a repair, a sync message.
	// Others worth handling are engine.Failed and engine.Unconfirmed (a message was given up; Engine().Retry sends it
	// again), engine.Missing (with the hint to fetch it by), and engine.Lost.
	OnOutput func(engine.Output)
}

// DefaultConfig returns the defaults of the engine, with channels that are opened by use and write the format of libsds.
func DefaultConfig() engine.Config {
	config := engine.DefaultConfig()
	config.AutoOpenChannels, config.Profile = true, engine.ProfileLibsds
	return config
}

// Store is a place where a manager keeps its state: [InFile] or [InDatabase].
type Store interface {
	open(config engine.Config, now time.Time) (*engine.Manager, *host, error)
}

type inFile struct {
	path    string
	options engine.StoreOptions
}

// InFile keeps the state in a file of the manager's own, as engine.OpenStore does.
func InFile(path string, options engine.StoreOptions) Store { return inFile{path, options} }

func (s inFile) open(config engine.Config, now time.Time) (*engine.Manager, *host, error) {
	manager, err := engine.OpenStore(config, s.path, s.options, now)
	return manager, nil, err
}

type inMemory struct{}

func (inMemory) open(config engine.Config, _ time.Time) (*engine.Manager, *host, error) {
	manager, err := engine.Open(config)
	return manager, nil, err
}

// NewReliabilityManagerWith makes a manager that differs from that of NewReliabilityManager as the options say.
//
// Errors: as engine.Open, engine.OpenStore and engine.OpenExternal; those of the Database.
func NewReliabilityManagerWith(options Options) (*ReliabilityManager, error) {
	rm := &ReliabilityManager{
		config: DefaultConfig(), logger: options.Logger, onOutput: options.OnOutput, started: make(chan struct{}, 1),
	}
	if rm.logger == nil {
		rm.logger = zap.NewNop()
	}
	if options.Config != nil {
		rm.config = *options.Config
		rm.config.AutoOpenChannels = true
	}
	if options.ParticipantID != "" {
		rm.config.ParticipantID = engine.ParticipantID(options.ParticipantID)
	}
	store := options.Store
	if store == nil {
		store = inMemory{}
	}
	var err error
	if rm.engine, rm.host, err = store.open(rm.config, time.Now()); err != nil {
		return nil, err
	}
	go rm.run()
	return rm, nil
}
