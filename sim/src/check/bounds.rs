//! Bounds: nothing holds more than its configuration says, and nobody sends more than its timers allow.

use std::collections::VecDeque;

use sds::Config;
use sds::output::{ChannelStatus, TransmitReason};

use super::{Rule, Verdict, must};

/// What a participant holds.
pub fn held(status: &ChannelStatus, config: &Config) -> Verdict {
    let missing = config.max_missing as u64;
    for (what, number, limit) in [
        ("logged messages", status.logged + status.held, config.log_messages as u64),
        ("waiting messages", status.waiting, config.max_waiting_messages as u64),
        ("missing messages", status.missing, missing),
        ("repair requests", status.repair_requests, missing),
        ("repair answers", status.repair_answers, config.max_repair_answers as u64),
        ("unacknowledged messages", status.unacknowledged + status.given_up, config.max_unacknowledged as u64),
    ] {
        must(number <= limit, Rule::Bounds, || format!("{number} {what}, over {limit}"))?;
    }
    Ok(())
}

/// What one participant sent lately, to see that it is not too much.
#[derive(Debug, Default)]
pub struct Sent {
    /// When its last few sync messages went out.
    syncs: VecDeque<u64>,
    /// Answers in this minute of its clock.
    answers: (u64, usize),
}

impl Sent {
    /// A packet goes out by itself, `clock_ms` by its sender's clock.
    pub fn goes_out(&mut self, reason: TransmitReason, bytes: usize, clock_ms: u64, config: &Config) -> Verdict {
        must(bytes <= config.max_message_bytes, Rule::Bounds, || format!("a packet of {bytes} bytes"))?;
        match reason {
            TransmitReason::Sync | TransmitReason::RepairRequest => self.sync(clock_ms, config),
            TransmitReason::RepairAnswer => self.answer(clock_ms, config),
            TransmitReason::Resend | TransmitReason::Publish => Ok(()),
        }
    }

    /// Any three sync messages span at least the shorter of the two intervals: what confirms waits for a quarter of its
    /// time at least, what only asks keeps its distance, and one of each kind may come together.
    fn sync(&mut self, clock_ms: u64, config: &Config) -> Verdict {
        self.syncs.push_back(clock_ms);
        if self.syncs.len() < 4 {
            return Ok(());
        }
        let first_ms = self.syncs.pop_front().unwrap_or(clock_ms);
        let least_ms = (config.sync_confirm_ms / 4).min(config.repair_request_interval_ms);
        // A clock that was set back tells nothing.
        let fine = clock_ms < first_ms || clock_ms - first_ms >= least_ms;
        must(fine, Rule::Bounds, || format!("four sync messages in {} ms", clock_ms - first_ms))
    }

    fn answer(&mut self, clock_ms: u64, config: &Config) -> Verdict {
        // Requests are limited per minute when they are taken up, and answered within T_max: in any minute come those of
        // as many minutes at most.
        let minutes = config.repair_t_max_ms as usize / 60_000 + 2;
        let minute = clock_ms / 60_000;
        if self.answers.0 != minute {
            self.answers = (minute, 0);
        }
        self.answers.1 += 1;
        let (number, limit) = (self.answers.1, config.repair_answers_per_minute * minutes);
        must(number <= limit, Rule::Bounds, || format!("{number} answers in a minute, over {limit}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::breaks;
    use super::*;

    #[test]
    fn each_limit_of_what_is_held_is_noticed() {
        let config = Config { max_repair_answers: 5, ..Config::default() };
        let fine = ChannelStatus { logged: 999, held: 1, waiting: 1_000, repair_answers: 5, ..Default::default() };
        held(&fine, &config).unwrap();
        for over in [
            ChannelStatus { held: 2, ..fine },
            ChannelStatus { waiting: 1_001, ..fine },
            ChannelStatus { missing: 4_097, ..fine },
            ChannelStatus { repair_requests: 4_097, ..fine },
            ChannelStatus { repair_answers: 6, ..fine },
            ChannelStatus { unacknowledged: 9_000, given_up: 1_001, ..fine },
        ] {
            breaks(held(&over, &config), Rule::Bounds);
        }
    }

    #[test]
    fn too_much_traffic_is_noticed() {
        let config = Config::default();
        let sent = |reason, every_ms: u64, times: u64| {
            let mut sent = Sent::default();
            (0..times).try_for_each(|time| sent.goes_out(reason, 100, 6_000_000 + time * every_ms, &config))
        };
        sent(TransmitReason::Sync, 500, 1_000).unwrap();
        sent(TransmitReason::Resend, 0, 1_000).unwrap();
        breaks(sent(TransmitReason::Sync, 100, 10), Rule::Bounds);
        breaks(sent(TransmitReason::RepairRequest, 100, 10), Rule::Bounds);
        sent(TransmitReason::RepairAnswer, 1_000, 1_000).unwrap();
        breaks(sent(TransmitReason::RepairAnswer, 100, 600), Rule::Bounds);
        breaks(Sent::default().goes_out(TransmitReason::Resend, 2 << 20, 0, &config), Rule::Bounds);
    }
}
