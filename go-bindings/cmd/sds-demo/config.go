package main

import (
	"fmt"
	"strings"

	"github.com/status-im/sds-rs/go-bindings/internal/ui"
	"github.com/status-im/sds-rs/go-bindings/sds"
)

// config is what a participant's manager is made from: the defaults, but for what is said here.
func (d *demo) config(name string, seed uint64) sds.Config {
	config := sds.DefaultConfig()
	config.ParticipantID = sds.ParticipantID(name)
	config.Seed = &seed
	config.Profile = d.profile
	config.SyncInLibsds = true // everybody here is of our kind
	config.CausalHistorySize = d.history
	// All logs are compared whole, hence the oldest messages of a long transcript must not leave them.
	config.LogMessages = max(config.LogMessages, len(d.transcript.Lines))
	if !d.store {
		config.DependencyTimeout = patienceAlone
	}
	return config
}

// configWords tells in what the configuration is not the default one.
func (d *demo) configWords() string {
	usual := sds.DefaultConfig()
	var changes []string
	if d.history != usual.CausalHistorySize {
		changes = append(changes, fmt.Sprintf("messages name %d (default: %d)", d.history, usual.CausalHistorySize))
	}
	if !d.store {
		changes = append(changes, fmt.Sprintf("patience %v (default: %v)", patienceAlone, usual.DependencyTimeout))
	}
	if len(changes) == 0 {
		return fmt.Sprintf("default configuration (messages name %d)", d.history)
	}
	return strings.Join(changes, ", ")
}

func (d *demo) storeWords() string {
	if d.store {
		return "store"
	}
	return "no store"
}

// setting tells the same after the run.
func (d *demo) setting() string {
	store := fmt.Sprintf("a store that answered %s of all queries", ui.Percent(1-storeFailures))
	if !d.store {
		store = "no store: only resends, and members who sent again what others asked for"
	}
	return fmt.Sprintf("This was with %s, %s and %s.", ui.Percent(d.loss)+" loss", d.configWords(), store)
}
