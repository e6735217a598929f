// Package metrics offers the counts of reliable clients to Prometheus. They are read when Prometheus asks, and cost nothing
// otherwise.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/status-im/sds-rs/go-bindings/reliable"
)

// metric is one figure, with the labels of its name.
type metric struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	values func(reliable.Stats) map[string]float64
}

// Collector offers the counts of a client. Register it with a prometheus.Registerer, and unregister it when the client is
// closed.
type Collector struct {
	stats   func() reliable.Stats
	metrics []metric
}

// NewCollector makes a collector of a client's Stats. Labels are on all metrics, to tell clients apart; nil for none.
func NewCollector(stats func() reliable.Stats, labels prometheus.Labels) *Collector {
	c := &Collector{stats: stats}
	add := func(kind prometheus.ValueType, name, help, label string, values func(reliable.Stats) map[string]float64) {
		var names []string
		if label != "" {
			names = []string{label}
		}
		desc := prometheus.NewDesc("sds_reliable_"+name, help, names, labels)
		c.metrics = append(c.metrics, metric{desc, kind, values})
	}
	counter, gauge := prometheus.CounterValue, prometheus.GaugeValue
	add(counter, "published_total", "Messages published.", "class", func(s reliable.Stats) map[string]float64 {
		p := s.Published
		return map[string]float64{
			"chat": float64(p.Chat), "resend": float64(p.Resend), "repair": float64(p.Repair), "sync": float64(p.Sync),
		}
	})
	add(counter, "publish_errors_total", "Publications that failed.", "", one(func(s reliable.Stats) uint64 { return s.PublishErrors }))
	add(counter, "requests_total", "Payloads of ours, by what became of them.", "event", func(s reliable.Stats) map[string]float64 {
		return map[string]float64{
			"sent": float64(s.Sent), "delivered": float64(s.Delivered),
			"send-error": float64(s.SendErrors), "delivery-error": float64(s.DeliveryErrors),
		}
	})
	add(counter, "received_total", "Messages that the network and the store brought.", "",
		one(func(s reliable.Stats) uint64 { return s.Received }))
	add(counter, "dropped_total", "What was dropped, and why.", "reason", func(s reliable.Stats) map[string]float64 {
		return map[string]float64{
			"untagged": float64(s.Untagged), "undecryptable": float64(s.Undecryptable), "refused": float64(s.Refused),
			"invalid-segment": float64(s.SegmentsInvalid), "segment-set": float64(s.SegmentSetsDropped),
			"repair-answer": float64(s.PublicationsDropped), "untracked": float64(s.MissingUntracked),
			"fetched-unasked": float64(s.FetchedUnasked),
		}
	})
	add(counter, "payloads_total", "Payloads offered to the application.", "", one(func(s reliable.Stats) uint64 { return s.Payloads }))
	add(counter, "missing_total", "Messages that were missing, by what became of them.", "event", func(s reliable.Stats) map[string]float64 {
		return map[string]float64{"missing": float64(s.Missing), "recovered": float64(s.Recovered), "lost": float64(s.Lost)}
	})
	add(counter, "fetches_total", "Queries to the store.", "", one(func(s reliable.Stats) uint64 { return s.Fetches }))
	add(counter, "fetch_errors_total", "Queries to the store that failed.", "", one(func(s reliable.Stats) uint64 { return s.FetchErrors }))
	add(counter, "fetched_total", "Messages that the store had.", "", one(func(s reliable.Stats) uint64 { return s.Fetched }))
	add(gauge, "channels", "Open channels.", "", one(func(s reliable.Stats) uint64 { return uint64(s.Channels) }))
	add(gauge, "queued", "Messages that wait to be published.", "", one(func(s reliable.Stats) uint64 { return uint64(s.Queued) }))
	add(gauge, "events_unread", "Events that the application has not read.", "",
		one(func(s reliable.Stats) uint64 { return uint64(s.EventsUnread) }))
	add(gauge, "events_dropped", "Events that were dropped unread, in the open channels.", "",
		one(func(s reliable.Stats) uint64 { return s.EventsDropped }))
	return c
}

// one is a metric without labels.
func one(value func(reliable.Stats) uint64) func(reliable.Stats) map[string]float64 {
	return func(s reliable.Stats) map[string]float64 { return map[string]float64{"": float64(value(s))} }
}

// Describe is for Prometheus.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		out <- m.desc
	}
}

// Collect is for Prometheus.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	stats := c.stats()
	for _, m := range c.metrics {
		for label, value := range m.values(stats) {
			var labels []string
			if label != "" {
				labels = []string{label}
			}
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, value, labels...)
		}
	}
}
