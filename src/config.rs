//! Every limit and interval, with its unit, its default and where the default comes from.
//!
//! RFC: SDS-R global state

use std::fmt;

use crate::error::ConfigError;
use crate::types::Profile;

/// The largest id accepted from anybody may be configured up to this many bytes.
const ID_BYTES_CEILING: usize = 1_024;
/// The fewest bytes a message limit may allow: an rfc filter at its default size, and room for the rest.
const MESSAGE_BYTES_FLOOR: usize = 32 * 1_024;
/// Intervals beyond a year are taken for a mistake in the unit.
const YEAR_MS: u64 = 365 * 24 * 3_600_000;
/// A filter in the rfc profile, always.
const RFC_FILTER_BYTES: usize = 18_752;
/// Members per response group (RFC 109, *SDS-R global state*).
const PARTICIPANTS_PER_GROUP: u64 = 128;
/// The least that missing messages are waited for beyond 2 T_max.
const REPAIR_SLACK_MS: u64 = 30_000;

/// Filters of this many different sizes count as evidence for one message of ours; more would add nothing.
pub const MAX_EVIDENCE: usize = 16;
/// Received messages to be confirmed that are remembered; a sync message confirms all that the filter covers anyway.
pub const MAX_UNCONFIRMED: usize = 64;
/// Messages that may wait to be named more often. Beyond, the oldest by arrival are named no more than they were.
pub const MAX_LITTLE_NAMED: usize = 64;
/// Sync messages of our own that are known again when they come back.
pub const MAX_OWN_SYNC: usize = 64;
/// Hashes per id in a received filter: deployed sizings go up to 20, and every one costs a probe.
pub const MAX_FILTER_HASHES: u64 = 64;

/// What a manager is made from. Start from [`Config::default`] and change what differs.
///
/// Field names end in their unit: `_ms` milliseconds, `_bytes` bytes; counts have none.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Who we are: unique per installation, not per user. Empty means nobody: then no message is taken for our own.
    /// Default: empty (as status-go's managers are made).
    pub participant_id: String,
    /// Seed of all randomness, so that a run can be replayed. `None`: from the operating system, at construction.
    pub seed: Option<u64>,
    /// The format that channels write, unless they are opened with another. Default: rfc.
    pub profile: Profile,
    /// Open a channel when the first message for it is wrapped or received. Default: no; bytes for unknown channels
    /// are refused, since otherwise a stranger makes channels.
    pub auto_open_channels: bool,

    /// Message ids named in a causal history, and as many older ones at most that were named less often than that. RFC:
    /// two recommended; default three, since with two too many misses go unnoticed at 10 % loss. Sync messages name twice
    /// as many besides of what waits.
    pub causal_history_size: usize,

    /// How far ahead of the clock a timestamp may lie and still move ours, in rfc channels. Default: 10 minutes.
    pub max_clock_drift_rfc_ms: u64,
    /// The same in libsds channels. Default: 7 days, since the libsds clock gains a second with every message.
    pub max_clock_drift_libsds_ms: u64,
    /// A backward step of the host's clock by more than this shifts all deadlines; smaller ones are ignored.
    /// Default: 60 s.
    pub clock_step_ms: u64,

    /// Messages in a channel's log in memory; the oldest by arrival leave first. Default: 1,000.
    pub log_messages: usize,
    /// Bytes of whole messages that a channel's log keeps, to answer requests for repair and to send ours again; the oldest
    /// by arrival leave first, and stay in the log by name. As many again are held of our messages that were acknowledged or
    /// cancelled, with the names of those who have them; the oldest leave first. Default: 8 MiB.
    pub log_bytes: usize,
    /// Ids that are remembered (as 16-byte hashes) after they left the log, per channel. Default: 20,000.
    pub seen_limit: usize,
    /// Messages of a channel's log that stay in a store or with the host, the latest by arrival, at least as many as in
    /// memory. A host's tell which ids are known beyond `seen_limit`. Default: 100,000.
    pub stored_messages: u64,
    /// How long they stay there, and up to a sixteenth longer, or until the channel is used next; 0: however long. What
    /// memory holds (`log_messages`) stays however old it is. Ages are told by the host's clock: one that is far ahead when
    /// a message comes makes all others old. Default: 0.
    pub stored_ms: u64,
    /// A channel that was not used for this long leaves memory, where it can be read back from a store; 0: never. Default:
    /// 10 minutes.
    pub unload_after_ms: u64,
    /// Bytes of changes that wait to be stored, per manager: for a host that does not confirm them, or a store that fails.
    /// Beyond, calls that make more are refused. Default: 64 MiB.
    pub max_unconfirmed_bytes: usize,

    /// Ids that a filter covers at most. Default: 10,000, as both deployed implementations.
    pub bloom_capacity: usize,
    /// A filter's false-positive rate at capacity. Default: 0.001, as both deployed implementations.
    pub bloom_error_rate: f64,
    /// A filter covers ids received this recently. Default: 10 minutes, well over the time all resends take.
    pub ack_window_ms: u64,
    /// Duplicates of messages that left the window which re-enter the filter, per minute and channel. Default: 64.
    pub refilter_per_minute: usize,
    /// A message is acknowledged once the chance that every filter hit for it was false is below this. Default: 1e-6.
    pub ack_false_positive: f64,
    /// Participants remembered by name per message of ours as having acknowledged it. Default: 64.
    pub max_acknowledgers: usize,

    /// Wait before the first resend of an unacknowledged message; doubles with each. Default: 5 s (reliable channel).
    pub resend_interval_ms: u64,
    /// The same for possibly acknowledged ones. Default: 15 s.
    pub possibly_resend_interval_ms: u64,
    /// Resends before a message is given up. Default: 5 (reliable channel).
    pub max_resends: u32,
    /// Random extra wait before a resend, in percent of the wait. Default: 20.
    pub resend_jitter_percent: u32,
    /// Messages of ours that may await an acknowledgement, per channel. Default: 10,000.
    pub max_unacknowledged: usize,
    /// Bytes that these hold, per channel. Given-up messages leave first; then wraps are refused. The names of those who
    /// possibly have them take as many again at most. Default: 256 MiB.
    pub max_unacknowledged_bytes: usize,

    /// Wait for missing dependencies before they are lost, from when each was first named; and the most that a message waits
    /// for its dependencies, from when it came. With repair, at least 2 `repair_t_max_ms` + 30 s: we ask by
    /// T_max at the latest, and an answer may take T_max. Default: 10 minutes, which leaves time to ask again for what
    /// somebody else asked for first.
    pub dependency_timeout_ms: u64,
    /// Messages that wait for dependencies, per channel; beyond, the oldest is delivered early. Default: 1,000.
    pub max_waiting_messages: usize,
    /// Bytes that waiting messages and the names of their dependencies hold, per channel. Default: 8 MiB.
    pub max_waiting_bytes: usize,
    /// Missing ids that are tracked, per channel. Default: 4,096.
    pub max_missing: usize,

    /// Least interval of periodic sync messages; doubles while nothing is new. Default: 30 s.
    pub sync_interval_ms: u64,
    /// Greatest interval of periodic sync messages. Default: 30 minutes.
    pub sync_interval_max_ms: u64,
    /// How soon a message that nobody was heard to confirm is confirmed: a quarter of this at the least, and for about one
    /// member of a group of `num_participants` half of it. The others would follow later, ten times as many with every five
    /// eighths of it. Default: 2 s.
    pub sync_confirm_ms: u64,
    /// Send sync messages in libsds channels too: for fleets without nim-sds, which takes them for ordinary ones.
    /// Default: no.
    pub sync_in_libsds: bool,

    /// Repair what is missing among the members, without a store (RFC 109, *SDS-R*). Needs a participant id; without one
    /// it is off. Where sync messages are off, requests ride on messages with content only. Default: yes.
    pub repair: bool,
    /// T_min, the least time before a missing message is asked for. The same for all members. RFC: at least 30 s.
    /// Default: 30 s.
    pub repair_t_min_ms: u64,
    /// T_max, the greatest time before it is asked for, and before it is answered. The same for all members. RFC: 120 to
    /// 600 s. Default: 120 s, as @waku/sds.
    pub repair_t_max_ms: u64,
    /// Members expected in a channel, about. Each message is answered by one of `num_participants div 128 + 1` response
    /// groups, so that the same number has to be set for all members. Default: 100, that is, one group.
    pub num_participants: u64,
    /// Missing messages that one message asks for at most. RFC: 3. Default: 3.
    pub repair_request_size: usize,
    /// Least time between two sync messages that go out only to ask. Default: 5 s.
    pub repair_request_interval_ms: u64,
    /// How long whole messages are kept to answer requests with; repair is for the recent past. Default: 1 hour.
    pub repair_window_ms: u64,
    /// Requests of others that wait to be answered, per channel. Default: 256.
    pub max_repair_answers: usize,
    /// Requests of others that are taken up in a minute, per channel. All members hear the same ones and stop at about the
    /// same, so that this bounds the whole group's answers. Default: 64.
    pub repair_answers_per_minute: usize,
    /// Bytes of the messages in these. Default: 2 MiB.
    pub repair_bytes_per_minute: usize,

    /// An encoded message, sent or received. Default: 1 MiB.
    pub max_message_bytes: usize,
    /// A message, channel or participant id. Default: 256.
    pub max_id_bytes: usize,
    /// Entries of a received causal history. Default: 1,024 (@waku/sds sends 200).
    pub max_history_entries: usize,
    /// Entries of a received repair request. Default: 64 (the RFC recommends 3).
    pub max_repair_entries: usize,
    /// A retrieval hint. Default: 1,024.
    pub max_hint_bytes: usize,
    /// A received filter. Default: 128 KiB (deployed ones have 18,752 bytes).
    pub max_filter_bytes: usize,

    /// Channels per manager, closed ones that were not forgotten included. Default: 100,000.
    pub max_channels: usize,
    /// Outputs that wait to be drained, per manager; beyond, calls that make more are refused. Default: 65,536.
    pub max_outputs: usize,
    /// Bytes of ids, hints, contents and transmissions in these. Default: 64 MiB.
    pub max_output_bytes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            participant_id: String::new(),
            seed: None,
            profile: Profile::Rfc,
            auto_open_channels: false,
            causal_history_size: 3,
            max_clock_drift_rfc_ms: 600_000,
            max_clock_drift_libsds_ms: 7 * 24 * 3_600_000,
            clock_step_ms: 60_000,
            log_messages: 1_000,
            log_bytes: 8 << 20,
            seen_limit: 20_000,
            stored_messages: 100_000,
            stored_ms: 0,
            unload_after_ms: 600_000,
            max_unconfirmed_bytes: 64 << 20,
            bloom_capacity: 10_000,
            bloom_error_rate: 0.001,
            ack_window_ms: 600_000,
            refilter_per_minute: 64,
            ack_false_positive: 1e-6,
            max_acknowledgers: 64,
            resend_interval_ms: 5_000,
            possibly_resend_interval_ms: 15_000,
            max_resends: 5,
            resend_jitter_percent: 20,
            max_unacknowledged: 10_000,
            max_unacknowledged_bytes: 256 << 20,
            dependency_timeout_ms: 600_000,
            max_waiting_messages: 1_000,
            max_waiting_bytes: 8 << 20,
            max_missing: 4_096,
            sync_interval_ms: 30_000,
            sync_interval_max_ms: 1_800_000,
            sync_confirm_ms: 2_000,
            sync_in_libsds: false,
            repair: true,
            repair_t_min_ms: 30_000,
            repair_t_max_ms: 120_000,
            num_participants: 100,
            repair_request_size: 3,
            repair_request_interval_ms: 5_000,
            repair_window_ms: 3_600_000,
            max_repair_answers: 256,
            repair_answers_per_minute: 64,
            repair_bytes_per_minute: 2 << 20,
            max_message_bytes: 1 << 20,
            max_id_bytes: 256,
            max_history_entries: 1_024,
            max_repair_entries: 64,
            max_hint_bytes: 1_024,
            max_filter_bytes: 128 << 10,
            max_channels: 100_000,
            max_outputs: 65_536,
            max_output_bytes: 64 << 20,
        }
    }
}

/// What [`Config::validate`] found: the first rule that is broken.
#[derive(Default)]
struct Rules {
    broken: Option<ConfigError>,
}

impl Rules {
    /// One rule: the field, whether its value passes, and what to say if not, which is made only then.
    fn require(&mut self, field: &'static str, passes: bool, problem: fmt::Arguments<'_>) {
        if !passes && self.broken.is_none() {
            self.broken = Some(ConfigError { field, problem: problem.to_string() });
        }
    }

    /// The rule for any interval.
    fn interval(&mut self, field: &'static str, value_ms: u64) {
        self.require(field, (100..=YEAR_MS).contains(&value_ms), format_args!("must be 100 ms to a year"));
    }

    fn at_least_one(&mut self, field: &'static str, value: usize) {
        self.require(field, value >= 1, format_args!("must be at least 1"));
    }
}

impl Config {
    /// Refuses values that contradict each other or could not work, naming the field.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let mut rules = Rules::default();
        self.size_rules(&mut rules);
        self.rate_rules(&mut rules);
        self.interval_rules(&mut rules);
        if self.repairs() {
            self.repair_rules(&mut rules);
        }
        rules.broken.map_or(Ok(()), Err)
    }

    /// How far ahead of the clock a timestamp may move ours in a channel of this profile, in milliseconds.
    pub fn max_clock_drift_ms(&self, profile: Profile) -> u64 {
        match profile {
            Profile::Rfc => self.max_clock_drift_rfc_ms,
            Profile::Libsds => self.max_clock_drift_libsds_ms,
        }
    }

    /// Whether missing messages are asked for, and others' requests answered.
    pub fn repairs(&self) -> bool {
        self.repair && !self.participant_id.is_empty()
    }

    /// Into how many groups the members are divided, of which one answers (RFC 109, *SDS-R global state*).
    pub fn num_response_groups(&self) -> u64 {
        self.num_participants / PARTICIPANTS_PER_GROUP + 1
    }

    fn size_rules(&self, rules: &mut Rules) {
        rules.require(
            "participant_id",
            self.participant_id.len() <= self.max_id_bytes,
            format_args!("{} bytes, over max_id_bytes {}", self.participant_id.len(), self.max_id_bytes),
        );
        rules.require(
            "max_message_bytes",
            self.max_message_bytes >= MESSAGE_BYTES_FLOOR,
            format_args!("must be at least {MESSAGE_BYTES_FLOOR}"),
        );
        rules.require(
            "causal_history_size",
            (1..=self.max_history_entries / 4).contains(&self.causal_history_size),
            format_args!("must be 1 to a quarter of max_history_entries ({})", self.max_history_entries),
        );
        rules.require(
            "causal_history_size",
            self.causal_history_size <= self.log_messages,
            format_args!("over log_messages ({})", self.log_messages),
        );
        rules.require(
            "causal_history_size",
            self.history_bytes() <= self.max_message_bytes / 2,
            format_args!("so many ids and hints, and those of requests, could take {} bytes", self.history_bytes()),
        );
        rules.require(
            "max_message_bytes",
            self.least_message_bytes() <= self.max_message_bytes,
            format_args!("a sync message alone could take {} bytes", self.least_message_bytes()),
        );
        rules.require(
            "max_message_bytes",
            u32::try_from(self.max_message_bytes).is_ok(),
            format_args!("must be under 4 GiB"),
        );
        rules.require(
            "max_id_bytes",
            (64..=ID_BYTES_CEILING).contains(&self.max_id_bytes),
            format_args!("must be 64 to {ID_BYTES_CEILING}"),
        );
        rules.require(
            "max_hint_bytes",
            self.max_hint_bytes <= self.max_message_bytes / 16,
            format_args!("must be at most a sixteenth of max_message_bytes"),
        );
        rules.require(
            "max_filter_bytes",
            (1_024..=self.max_message_bytes).contains(&self.max_filter_bytes),
            format_args!("must be 1,024 to max_message_bytes"),
        );
        rules.require(
            "max_waiting_bytes",
            self.max_waiting_bytes >= self.max_message_bytes,
            format_args!("must hold one message of max_message_bytes ({})", self.max_message_bytes),
        );
        rules.require(
            "max_unacknowledged_bytes",
            self.max_unacknowledged_bytes >= self.max_message_bytes,
            format_args!("must hold one message of max_message_bytes ({})", self.max_message_bytes),
        );
        rules.at_least_one("log_messages", self.log_messages);
        rules.at_least_one("seen_limit", self.seen_limit);
        rules.at_least_one("max_acknowledgers", self.max_acknowledgers);
        rules.at_least_one("max_unacknowledged", self.max_unacknowledged);
        rules.at_least_one("max_waiting_messages", self.max_waiting_messages);
        rules.at_least_one("max_missing", self.max_missing);
        rules.at_least_one("max_channels", self.max_channels);
        rules.require("max_outputs", self.max_outputs >= 16, format_args!("must be at least 16"));
        rules.require(
            "max_output_bytes",
            self.max_output_bytes >= self.max_message_bytes,
            format_args!("must hold one message of max_message_bytes ({})", self.max_message_bytes),
        );
    }

    /// The least that a message of ours must have room for: a filter at its largest, a causal history, what waits, what it asks
    /// for, and its own ids. So a sync message always fits as drafted, and what it was told to ask for it does ask for.
    fn least_message_bytes(&self) -> usize {
        let filter = (self.bloom_capacity.saturating_mul(30) / 8).max(RFC_FILTER_BYTES);
        let other_entries = self.sync_waiting_names().saturating_add(2);
        filter.saturating_add(self.history_bytes()).saturating_add(self.entry_bytes().saturating_mul(other_entries))
    }

    /// How many messages that wait here a sync message names: as many as it may name others.
    pub(crate) fn sync_waiting_names(&self) -> usize {
        self.causal_history_size.saturating_mul(2)
    }

    /// The most that the causal history of a message with content and a repair request can take on the wire, in bytes.
    fn history_bytes(&self) -> usize {
        let entries = self.causal_history_size.saturating_mul(2).saturating_add(self.repair_request_size);
        entries.saturating_mul(self.entry_bytes())
    }

    /// The most that one entry of either can take.
    fn entry_bytes(&self) -> usize {
        self.max_id_bytes.saturating_mul(2).saturating_add(self.max_hint_bytes).saturating_add(32)
    }

    fn rate_rules(&self, rules: &mut Rules) {
        rules.require(
            "bloom_capacity",
            (64..=1_000_000).contains(&self.bloom_capacity),
            format_args!("must be 64 to 1,000,000"),
        );
        rules.require(
            "bloom_error_rate",
            (1e-6..=0.1).contains(&self.bloom_error_rate),
            format_args!("must be between 0.000001 and 0.1"),
        );
        rules.require(
            "bloom_capacity",
            self.bloom_capacity.saturating_mul(30) / 8 <= self.max_filter_bytes,
            format_args!("its filter could exceed max_filter_bytes"),
        );
        rules.require(
            "ack_false_positive",
            self.ack_false_positive > 0.0 && self.ack_false_positive < 0.5,
            format_args!("must be above 0 and below 0.5"),
        );
        rules.require("resend_jitter_percent", self.resend_jitter_percent <= 100, format_args!("must be at most 100"));
        rules.require("max_resends", self.max_resends <= 32, format_args!("must be at most 32"));
    }

    fn interval_rules(&self, rules: &mut Rules) {
        rules.interval("ack_window_ms", self.ack_window_ms);
        rules.interval("resend_interval_ms", self.resend_interval_ms);
        rules.interval("possibly_resend_interval_ms", self.possibly_resend_interval_ms);
        rules.interval("dependency_timeout_ms", self.dependency_timeout_ms);
        rules.interval("sync_interval_ms", self.sync_interval_ms);
        rules.interval("sync_confirm_ms", self.sync_confirm_ms);
        rules.interval("max_clock_drift_rfc_ms", self.max_clock_drift_rfc_ms);
        rules.interval("max_clock_drift_libsds_ms", self.max_clock_drift_libsds_ms);
        rules.interval("clock_step_ms", self.clock_step_ms);
        rules.interval("sync_interval_max_ms", self.sync_interval_max_ms);
        rules.require(
            "possibly_resend_interval_ms",
            self.possibly_resend_interval_ms >= self.resend_interval_ms,
            format_args!("must be at least resend_interval_ms: unacknowledged messages come first"),
        );
        rules.require(
            "sync_interval_max_ms",
            self.sync_interval_max_ms >= self.sync_interval_ms,
            format_args!("must be at least sync_interval_ms"),
        );
        rules.require(
            "ack_window_ms",
            self.ack_window_ms >= self.resend_interval_ms,
            format_args!("must be at least resend_interval_ms, or no ack survives until the first resend"),
        );
    }

    fn repair_rules(&self, rules: &mut Rules) {
        let least_timeout_ms = self.repair_t_max_ms.saturating_mul(2).saturating_add(REPAIR_SLACK_MS);
        rules.interval("repair_t_min_ms", self.repair_t_min_ms);
        rules.interval("repair_t_max_ms", self.repair_t_max_ms);
        rules.interval("repair_request_interval_ms", self.repair_request_interval_ms);
        rules.interval("repair_window_ms", self.repair_window_ms);
        rules.require(
            "repair_t_max_ms",
            self.repair_t_max_ms > self.repair_t_min_ms,
            format_args!("must be greater than repair_t_min_ms"),
        );
        rules.require(
            "repair_window_ms",
            self.repair_window_ms > self.repair_t_max_ms,
            format_args!("must be greater than repair_t_max_ms, or no answer could wait for its time"),
        );
        rules.require(
            "dependency_timeout_ms",
            self.dependency_timeout_ms >= least_timeout_ms,
            format_args!("with repair, must be at least 2 repair_t_max_ms + {REPAIR_SLACK_MS} ms ({least_timeout_ms})"),
        );
        rules.require(
            "repair_request_size",
            (1..=self.max_repair_entries).contains(&self.repair_request_size),
            format_args!("must be 1 to max_repair_entries ({})", self.max_repair_entries),
        );
        rules.require("max_repair_answers", self.max_repair_answers >= 1, format_args!("must be at least 1"));
        rules.require(
            "repair_answers_per_minute",
            self.repair_answers_per_minute >= 1,
            format_args!("must be at least 1"),
        );
        rules.require(
            "repair_bytes_per_minute",
            self.repair_bytes_per_minute >= self.max_message_bytes,
            format_args!("must hold one message of max_message_bytes"),
        );
    }
}
