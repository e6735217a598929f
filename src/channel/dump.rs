//! A channel's state as text, for bug reports: ids and numbers, no content.

use serde_json::{Value, json};

use super::Channel;
use crate::types::TimeMs;

impl Channel {
    /// The state without any content, as JSON. `now_ms`: the time, to tell deadlines by.
    pub fn dump(&self, now_ms: TimeMs) -> Value {
        let params = self.filter.params();
        let log: Vec<_> = self.log.latest().map(|entry| json!([entry.lamport_ms, &*entry.message_id])).collect();
        let waiting = self.incoming.waiting().map(|message| {
            json!({
                "message_id": &*message.message_id,
                "lamport_timestamp_ms": message.lamport_ms,
                "waits_for": message.unmet.len(),
                "content_bytes": message.content.len(),
            })
        });
        // Offline, deadlines move on with the time.
        let offline_ms = self.offline_ms(now_ms);
        let missing = self.incoming.missing().map(|(dependency, deadline_ms)| {
            json!({
                "deadline_ms": self.clock.to_host(deadline_ms.saturating_add(offline_ms)),
                "message_id": &*dependency.message_id,
                "sender_id": dependency.sender_id.as_deref(),
                "has_hint": dependency.retrieval_hint.is_some(),
            })
        });
        let outgoing = self.outgoing.states().map(
            |(message_id, state, resends)| json!({ "message_id": &**message_id, "state": state, "resends": resends }),
        );
        let requests = self.requests.iter().map(|(missing, due_ms, asks)| {
            json!({
                "message_id": &*missing.message_id,
                "due_ms": self.clock.to_host(due_ms),
                "asks": asks,
            })
        });
        let answers = self.answers.iter().filter_map(|(hash, due_ms)| {
            let (message_id, ..) = self.whole(hash)?;
            Some(json!({ "message_id": &**message_id, "due_ms": self.clock.to_host(due_ms) }))
        });
        json!({
            "channel_id": &*self.id,
            "participant_id": &*self.me,
            "profile": self.profile.name(),
            "from_now": self.options.from_now,
            "derived_ids": self.options.derived_ids,
            "online": self.is_online(),
            "lamport_timestamp_ms": self.clock.lamport_ms(),
            "next_deadline_ms": self.next_deadline_ms(),
            "filter": { "ids": self.filter.len(), "capacity": params.capacity, "bits": params.bits, "hashes": params.hashes },
            "status": self.status(),
            "log_latest_first": log,
            "waiting": waiting.collect::<Vec<_>>(),
            "missing": missing.collect::<Vec<_>>(),
            "repair_requests": requests.collect::<Vec<_>>(),
            "repair_answers": answers.collect::<Vec<_>>(),
            "whole_messages_bytes": self.log.whole_bytes(),
            "outgoing": outgoing.collect::<Vec<_>>(),
        })
    }
}
