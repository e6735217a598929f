package reliable

// SyncStatus tells how much of a channel is here. It comes as an event whenever it changed, the latest only, and from
// Channel.SyncStatus at any time.
type SyncStatus struct {
	// Synced is true if nothing is missing, as far as anybody said: "all synced". What is Lost is not waited for.
	Synced bool
	// Missing counts messages that others named and that are not here.
	Missing uint64
	// Lost counts messages that were missing for too long, and have not come since.
	Lost uint64
	// Waiting counts messages that are here and whose order is pending.
	Waiting uint64
	// Unacknowledged counts messages of ours that nobody is known to have yet.
	Unacknowledged uint64
	// EventsDropped counts events that were dropped because the application did not read. Those that must not be dropped are
	// never among them.
	EventsDropped uint64
}

// Name is "sync-status".
func (SyncStatus) Name() string { return "sync-status" }

func (SyncStatus) essential() bool { return false }
func (SyncStatus) size() int       { return 0 }

// syncStatus is the status of a channel, from its engine.
func (c *core) syncStatus(ch *channelState) (SyncStatus, error) {
	status, err := c.manager.ChannelStatus(ch.id)
	if err != nil {
		return SyncStatus{}, err
	}
	return SyncStatus{
		Synced:         status.Missing == 0 && status.Waiting == 0 && ch.replay == nil,
		Missing:        status.Missing,
		Lost:           status.Lost,
		Waiting:        status.Waiting,
		Unacknowledged: status.Unacknowledged,
		EventsDropped:  ch.events.dropped,
	}, nil
}

// tellStatus offers the status if it changed. The count of dropped events alone is no change: it would have itself told.
func (c *core) tellStatus(ch *channelState) {
	status, err := c.syncStatus(ch)
	if err != nil {
		return
	}
	told := ch.told
	told.EventsDropped = status.EventsDropped
	if status != told {
		ch.events.pushStatus()
	}
	ch.told = status
}
