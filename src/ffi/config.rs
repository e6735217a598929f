//! The configuration as C sees it.

use std::ffi::c_char;

use super::args;
use super::guard::{Failure, guard, sds_error_t};
use super::status::sds_status_t;
use crate::config::Config;
use crate::types::Profile;

/// Wire format: the configured default.
pub const SDS_PROFILE_DEFAULT: u32 = 0;
/// Wire format: RFC 109 as written, as spoken by @waku/sds.
pub const SDS_PROFILE_RFC: u32 = 1;
/// Wire format: that of libsds (nim-sds), inside the Status app.
pub const SDS_PROFILE_LIBSDS: u32 = 2;

/// What a manager is made from. Fill it with `sds_config_init`, then change what differs. Field names end in their
/// unit: `_ms` milliseconds, `_bytes` bytes; counts have none.
#[allow(non_camel_case_types)]
#[repr(C)]
#[derive(Clone, Copy)]
pub struct sds_config_t {
    /// `sizeof(sds_config_t)`, set by `sds_config_init`.
    pub size: usize,
    /// Who we are, UTF-8: unique per installation, not per user. Default: empty, which equals nobody's.
    pub participant_id: *const c_char,
    /// Its length in bytes.
    pub participant_id_len: usize,
    /// Seed of all randomness, used if `has_seed` is 1.
    pub seed: u64,
    /// 1: use `seed`, so that a run can be replayed. 0 (default): a seed from the operating system.
    pub has_seed: u32,
    /// The format channels write by default: `SDS_PROFILE_RFC` (default) or `SDS_PROFILE_LIBSDS`.
    pub profile: u32,
    /// 1: open a channel when the first message for it is wrapped or received. Default: 0.
    pub auto_open_channels: u32,
    /// 1: send sync messages in libsds channels too. Default: 0, since nim-sds takes them for ordinary messages.
    pub sync_in_libsds: u32,
    /// 1 (default): repair what is missing among the members, without a store (SDS-R). Needs a participant id; without
    /// one it is off. 0: off.
    pub repair: u32,
    /// Message ids named in a causal history, and as many older ones at most that were named less often; sync messages name
    /// twice as many again of what waits. Default: 3.
    pub causal_history_size: usize,
    /// How far ahead of the clock a timestamp may lie and still move ours, rfc channels. Default: 600,000.
    pub max_clock_drift_rfc_ms: u64,
    /// The same, libsds channels. Default: 604,800,000 (7 days).
    pub max_clock_drift_libsds_ms: u64,
    /// A backward step of the host's clock by more than this shifts all deadlines. Default: 60,000.
    pub clock_step_ms: u64,
    /// Messages in a channel's log in memory. Default: 1,000.
    pub log_messages: usize,
    /// Bytes of whole messages that a channel's log keeps for sending again. Default: 8 MiB.
    pub log_bytes: usize,
    /// Ids remembered after they left the log, per channel. Default: 20,000.
    pub seen_limit: usize,
    /// Ids that a filter covers at most. Default: 10,000.
    pub bloom_capacity: usize,
    /// A filter's false-positive rate at capacity. Default: 0.001.
    pub bloom_error_rate: f64,
    /// A filter covers ids received this recently. Default: 600,000.
    pub ack_window_ms: u64,
    /// Duplicates of older messages that re-enter the filter, per minute and channel. Default: 64.
    pub refilter_per_minute: usize,
    /// Acknowledged once the chance that every filter hit was false is below this. Default: 1e-6.
    pub ack_false_positive: f64,
    /// Participants remembered by name per message as having acknowledged it. Default: 64.
    pub max_acknowledgers: usize,
    /// Wait before the first resend of an unacknowledged message; doubles with each. Default: 5,000.
    pub resend_interval_ms: u64,
    /// The same for possibly acknowledged ones. Default: 15,000.
    pub possibly_resend_interval_ms: u64,
    /// Resends before a message is given up. Default: 5.
    pub max_resends: u32,
    /// Random extra wait before a resend, in percent of the wait. Default: 20.
    pub resend_jitter_percent: u32,
    /// Messages of ours that may await an acknowledgement, per channel. Default: 10,000.
    pub max_unacknowledged: usize,
    /// Bytes that these hold, per channel. Default: 256 MiB.
    pub max_unacknowledged_bytes: usize,
    /// Wait for missing dependencies before they are lost. Default: 600,000. With repair, at least
    /// 2 `repair_t_max_ms` + 30,000.
    pub dependency_timeout_ms: u64,
    /// Messages that wait for dependencies, per channel. Default: 1,000.
    pub max_waiting_messages: usize,
    /// Bytes that they hold, per channel. Default: 8 MiB.
    pub max_waiting_bytes: usize,
    /// Missing ids that are tracked, per channel. Default: 4,096.
    pub max_missing: usize,
    /// Least interval of periodic sync messages; doubles while nothing is new. Default: 30,000.
    pub sync_interval_ms: u64,
    /// Greatest interval of periodic sync messages. Default: 1,800,000.
    pub sync_interval_max_ms: u64,
    /// How soon a message that nobody was heard to confirm is confirmed: a quarter of this at the least, and for about one
    /// member of a group of `num_participants` half of it; the others would follow later, ten times as many with every five
    /// eighths of it. Default: 2,000.
    pub sync_confirm_ms: u64,
    /// SDS-R, T_min: the least time before a missing message is asked for, the same for all members. Default: 30,000.
    pub repair_t_min_ms: u64,
    /// SDS-R, T_max: the greatest time before it is asked for, and before it is answered, the same for all members.
    /// Default: 120,000.
    pub repair_t_max_ms: u64,
    /// SDS-R: members expected in a channel, about, the same for all. Each message is answered by one of
    /// `num_participants` div 128 + 1 response groups. Default: 100.
    pub num_participants: u64,
    /// SDS-R: missing messages that one message asks for at most. Default: 3.
    pub repair_request_size: usize,
    /// SDS-R: least time between two sync messages that go out only to ask. Default: 5,000.
    pub repair_request_interval_ms: u64,
    /// SDS-R: how long whole messages are kept to answer requests with. Default: 3,600,000.
    pub repair_window_ms: u64,
    /// SDS-R: requests of others that wait to be answered, per channel. Default: 256.
    pub max_repair_answers: usize,
    /// SDS-R: requests of others that are taken up in a minute, per channel. Default: 64.
    pub repair_answers_per_minute: usize,
    /// SDS-R: bytes of the messages in these. Default: 2 MiB.
    pub repair_bytes_per_minute: usize,
    /// An encoded message, sent or received. Default: 1 MiB.
    pub max_message_bytes: usize,
    /// A message, channel or participant id. Default: 256.
    pub max_id_bytes: usize,
    /// Entries of a received causal history. Default: 1,024.
    pub max_history_entries: usize,
    /// Entries of a received repair request. Default: 64.
    pub max_repair_entries: usize,
    /// A retrieval hint. Default: 1,024.
    pub max_hint_bytes: usize,
    /// A received filter. Default: 128 KiB.
    pub max_filter_bytes: usize,
    /// Channels per manager, closed ones that were not forgotten included. Default: 100,000.
    pub max_channels: usize,
    /// Outputs that wait to be drained, per manager. Default: 65,536.
    pub max_outputs: usize,
    /// Bytes of ids, hints, contents and transmissions in these. Default: 64 MiB.
    pub max_output_bytes: usize,
    /// Messages of a channel's log that stay in a store, the latest by arrival, at least `log_messages`. Default: 100,000.
    pub stored_messages: u64,
    /// How long they stay there, and up to a sixteenth longer, or until the channel is used next; 0: however long. What
    /// memory holds (`log_messages`) stays however old it is. Ages are told by the host's clock: one that is far ahead when
    /// a message comes makes all others old. Default: 0.
    pub stored_ms: u64,
    /// A channel that was not used for this long leaves memory, where it can be read back from a store; 0: never.
    /// Default: 600,000.
    pub unload_after_ms: u64,
    /// Bytes of changes that wait to be stored, per manager, while the host does not confirm or the store fails. Beyond,
    /// calls that make more are refused with `SDS_UNCONFIRMED`. Default: 64 MiB.
    pub max_unconfirmed_bytes: usize,
}

// SAFETY: repr(C), begins with a usize, and numbers and raw pointers are valid for any bits.
unsafe impl args::Versioned for sds_config_t {}

/// The fields that are the same number on both sides: one list serves both directions.
macro_rules! plain_fields {
    ($from:expr => $to:expr) => {
        plain_fields!(@copy $from, $to,
            causal_history_size max_clock_drift_rfc_ms max_clock_drift_libsds_ms clock_step_ms
            log_messages log_bytes seen_limit bloom_capacity bloom_error_rate ack_window_ms refilter_per_minute
            ack_false_positive max_acknowledgers resend_interval_ms possibly_resend_interval_ms max_resends
            resend_jitter_percent max_unacknowledged max_unacknowledged_bytes dependency_timeout_ms max_waiting_messages max_waiting_bytes
            max_missing sync_interval_ms sync_interval_max_ms sync_confirm_ms repair_t_min_ms repair_t_max_ms
            num_participants repair_request_size repair_request_interval_ms repair_window_ms max_repair_answers
            repair_answers_per_minute repair_bytes_per_minute max_message_bytes max_id_bytes max_history_entries max_repair_entries max_hint_bytes max_filter_bytes max_channels max_outputs
            max_output_bytes stored_messages stored_ms unload_after_ms max_unconfirmed_bytes)
    };
    (@copy $from:expr, $to:expr, $($field:ident)*) => { $( $to.$field = $from.$field; )* };
}

impl sds_config_t {
    pub(super) fn from_config(config: &Config) -> Self {
        // SAFETY: a structure of numbers and raw pointers, for which all zero bits are valid.
        let mut c: Self = unsafe { std::mem::zeroed() };
        c.size = size_of::<Self>();
        c.profile = SDS_PROFILE_RFC;
        c.repair = u32::from(config.repair);
        plain_fields!(config => c);
        c
    }

    /// # Safety
    /// `participant_id` is readable for `participant_id_len` bytes.
    pub(super) unsafe fn to_config(self) -> Result<Config, Failure> {
        // SAFETY: forwarded from the caller.
        let participant_id = unsafe { args::text(self.participant_id, self.participant_id_len, "participant_id") }?;
        let mut config = Config {
            participant_id: participant_id.to_owned(),
            seed: flag(self.has_seed, "has_seed")?.then_some(self.seed),
            profile: profile(self.profile, "profile")?.unwrap_or(Profile::Rfc),
            auto_open_channels: flag(self.auto_open_channels, "auto_open_channels")?,
            sync_in_libsds: flag(self.sync_in_libsds, "sync_in_libsds")?,
            repair: flag(self.repair, "repair")?,
            ..Config::default()
        };
        plain_fields!(self => config);
        Ok(config)
    }
}

fn flag(value: u32, what: &str) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(args::invalid(format!("{what} is {value}, not 0 or 1"))),
    }
}

/// A wire format by its number; `None` for the default one.
pub(super) fn profile(value: u32, what: &str) -> Result<Option<Profile>, Failure> {
    match value {
        SDS_PROFILE_DEFAULT => Ok(None),
        SDS_PROFILE_RFC => Ok(Some(Profile::Rfc)),
        SDS_PROFILE_LIBSDS => Ok(Some(Profile::Libsds)),
        _ => Err(args::invalid(format!("{what} is {value}, which is no profile"))),
    }
}

/// Fills a configuration with the defaults.
///
/// Parameters: `config`: the structure to fill. `size`: `sizeof(sds_config_t)` where the caller was compiled.
///
/// Returns: `SDS_OK`; `SDS_INVALID_ARGUMENT` for NULL; `SDS_INVALID_SIZE` for a size that this library does not know.
///
/// Ownership: `config` stays the caller's. `participant_id` is set to NULL; a text put there is borrowed by
/// the call that opens a manager, for that call only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sds_config_init(config: *mut sds_config_t, size: usize) -> sds_status_t {
    // SAFETY: no error structure; `config` is NULL or points to `size` writable bytes of the caller's.
    unsafe {
        guard(std::ptr::null_mut::<sds_error_t>(), || {
            let known = size_of::<sds_config_t>();
            if size != known {
                let detail = format!("size of config is {size}, this library knows {known}");
                return Err(Failure::new(sds_status_t::SDS_INVALID_SIZE, detail));
            }
            args::output(config, "config")?.set(sds_config_t::from_config(&Config::default()));
            Ok(())
        })
    }
}
