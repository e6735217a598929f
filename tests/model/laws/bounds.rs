//! Every limit of the configuration is kept.

use proptest::prelude::*;

use super::Case;
use crate::common::CHANNEL;
use crate::group::{Group, Verdict};

pub fn hold(group: &Group, case: &Case<'_>) -> Verdict {
    let member = &group.members[case.who];
    let (config, status) = (&member.config, &case.after);
    let within = |what: &str, count: u64, limit: usize| {
        prop_assert!(count <= limit as u64, "{count} {what}, over {limit}");
        Ok(())
    };
    within("messages in the log", status.logged + status.held, config.log_messages)?;
    within("waiting messages", status.waiting, config.max_waiting_messages)?;
    within("missing messages", status.missing, config.max_missing)?;
    within("unacknowledged messages", status.unacknowledged + status.given_up, config.max_unacknowledged)?;
    within("ids in the filter", case.dump["filter"]["ids"].as_u64().unwrap_or(u64::MAX), config.bloom_capacity)?;
    within("requests of others", status.repair_answers, config.max_repair_answers)?;
    within("requests", status.repair_requests, config.max_missing)?;
    let whole = case.dump["whole_messages_bytes"].as_u64().unwrap_or(u64::MAX);
    within("bytes of whole messages", whole, config.log_bytes)?;
    let waiting = case.dump["waiting"].as_array().into_iter().flatten();
    let bytes = waiting.map(|message| message["content_bytes"].as_u64().unwrap_or(u64::MAX)).sum();
    within("bytes of waiting messages", bytes, config.max_waiting_bytes)?;
    for id in member.facts.own.keys() {
        let Ok(own) = member.manager.message_status(CHANNEL, id) else { continue };
        within("acknowledgers", own.acknowledgers.len() as u64, config.max_acknowledgers)?;
        within("resends", u64::from(own.resends), config.max_resends as usize)?;
    }
    Ok(())
}
