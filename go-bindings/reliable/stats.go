package reliable

// Stats counts what a client did since it was opened. The package metrics offers them to Prometheus.
type Stats struct {
	// Published counts what went out, by class.
	Published Published
	// PublishErrors counts publications that failed, PublicationsDropped answers to others' requests for repair, and ephemeral
	// payloads, that gave way to newer ones.
	PublishErrors, PublicationsDropped uint64
	// Sent, Delivered, SendErrors and DeliveryErrors count payloads, as the events do.
	Sent, Delivered, SendErrors, DeliveryErrors uint64

	// Received counts what the network and the store brought. Of these: Untagged was traffic of something else, Undecryptable
	// was refused by the encryption, Refused by the engine.
	Received, Untagged, Undecryptable, Refused uint64
	// Payloads counts Received and Ready events.
	Payloads uint64

	// Missing, Recovered and Lost count messages, as the events do. MissingUntracked were too many to be fetched.
	Missing, Recovered, Lost, MissingUntracked uint64
	// Fetches counts queries to the store, FetchErrors those that failed, Fetched the messages found, FetchedUnasked those in
	// an answer whose hash was not asked for, which are dropped.
	Fetches, FetchErrors, Fetched, FetchedUnasked uint64

	// SegmentsInvalid counts segments that were refused, SegmentSetsDropped incomplete payloads that were given up.
	SegmentsInvalid, SegmentSetsDropped uint64

	// Now: Channels that are open, Queued publications that wait, EventsUnread, EventsDropped in the channels that are open.
	Channels, Queued, EventsUnread int
	EventsDropped                  uint64
}

// Published counts what went out.
type Published struct {
	// Chat is payloads for the first time, Resend the same again, Repair requests and answers of SDS-R, Sync sync messages.
	Chat, Resend, Repair, Sync uint64
}

func (p *Published) count(class class) {
	*[classes]*uint64{&p.Chat, &p.Resend, &p.Repair, &p.Sync}[class]++
}

// snapshot is the counts with what is so now.
func (c *core) snapshot() Stats {
	stats := c.stats
	stats.Channels, stats.Queued = len(c.order), c.publishing.queued()
	for _, ch := range c.order {
		stats.EventsUnread += ch.events.len()
		stats.EventsDropped += ch.events.dropped
	}
	return stats
}
