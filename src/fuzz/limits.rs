//! Configurations in which every limit is near.

use crate::config::Config;
use crate::types::Profile;

/// As tight as a configuration can be and still work, so that short inputs reach every bound.
pub(super) fn tight() -> Config {
    Config {
        seed: Some(7),
        log_messages: 12,
        log_bytes: 60_000,
        bloom_capacity: 64,
        max_acknowledgers: 2,
        max_resends: 2,
        max_unacknowledged: 6,
        max_unacknowledged_bytes: 128 << 10,
        dependency_timeout_ms: 300_000,
        max_waiting_messages: 4,
        max_waiting_bytes: 48 << 10,
        max_missing: 6,
        refilter_per_minute: 2,
        max_repair_answers: 3,
        repair_answers_per_minute: 4,
        repair_bytes_per_minute: 64 << 10,
        max_message_bytes: 32 << 10,
        max_id_bytes: 64,
        max_history_entries: 16,
        max_repair_entries: 4,
        max_hint_bytes: 64,
        max_filter_bytes: 20_000,
        max_channels: 3,
        max_outputs: 24,
        ..Config::default()
    }
}

/// One of 256 configurations, by its bits.
pub(super) fn by_bits(bits: u8, participant_id: &str) -> Config {
    let is_set = |bit: u8| bits >> bit & 1 == 1;
    let mut config = if is_set(0) { Config { seed: Some(7), ..Config::default() } } else { tight() };
    config.participant_id = if is_set(1) { String::new() } else { participant_id.to_owned() };
    config.profile = if is_set(2) { Profile::Libsds } else { Profile::Rfc };
    config.auto_open_channels = is_set(3);
    config.repair = !is_set(4);
    config.sync_in_libsds = is_set(5);
    if is_set(6) {
        config.seen_limit = 4;
    }
    if is_set(7) {
        config.causal_history_size = 1;
        config.num_participants = 1_000;
        config.resend_jitter_percent = 0;
    }
    config
}

/// Outputs that one call may add to the queue at most: the queue may grow by so many beyond its limit.
pub(super) fn most_outputs_of_a_call(config: &Config) -> usize {
    let received = config.max_missing + config.max_waiting_messages;
    // Each entry of a history is told missing, before us or acknowledged; a missing one is told and asked for.
    let named = config.max_history_entries + config.max_repair_entries;
    let own = 2 * config.max_unacknowledged + 2 * config.max_repair_answers;
    2 * received + 2 * named + own + config.repair_request_size + 4
}
