//! Liveness: what has to happen, happens, and in bounded time.

use sds::output::ChannelStatus;

use super::{Rule, Verdict, must};
use crate::ledger::Seat;

/// Ticks that may be due one after the other at the same time.
const MOST_TICKS: u32 = 16;

/// A tick that was due is made, for the `times`th time within a millisecond.
pub fn ticked(times: u32) -> Verdict {
    must(times <= MOST_TICKS, Rule::Liveness, || format!("{times} ticks were due at once, one after the other"))
}

/// The network has been whole for as long as repair can take, and something can repair: nothing that a host was told to
/// be missing is, but for what was given up before. `obtainable`: whether anybody could still hand it out.
pub fn repaired(seat: &Seat, messages: u32, obtainable: impl Fn(u32) -> bool) -> Verdict {
    let is_missing = |number: u32| seat.told.get(number) && !seat.had.get(number) && !seat.excused.get(number);
    let lacks = (0..messages).find(|number| is_missing(*number) && obtainable(*number));
    must(lacks.is_none(), Rule::Liveness, || {
        format!("message {} is missing, though it could be had", lacks.unwrap_or_default())
    })
}

/// Everything has been brought to everybody, and all timers have run out: nothing waits for anything, and what was shown
/// is all that came.
pub fn at_rest(seat: &Seat, status: &ChannelStatus) -> Verdict {
    for (number, what) in [
        (status.waiting, "messages wait"),
        (status.missing, "messages are missing"),
        (status.unacknowledged, "messages are neither acknowledged nor given up"),
        (status.repair_requests, "messages are to be asked for"),
        (status.repair_answers, "requests are to be answered"),
        (status.held, "messages are held for their timestamps"),
    ] {
        must(number == 0, Rule::Liveness, || format!("{number} {what}, at rest"))?;
    }
    let mut unseen = Vec::new();
    seat.had.minus(&seat.shown, 0, &mut unseen);
    must(unseen.is_empty(), Rule::Liveness, || format!("messages {unseen:?} came and were never shown"))?;
    let open = seat.open.iter().find(|open| !open.given_up);
    must(open.is_none(), Rule::Liveness, || {
        format!("of message {} its sender was told nothing", open.map_or(0, |open| open.message))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::breaks;
    use super::*;
    use crate::ledger::Open;

    #[test]
    fn ticks_without_end_are_noticed() {
        ticked(MOST_TICKS).unwrap();
        breaks(ticked(MOST_TICKS + 1), Rule::Liveness);
    }

    #[test]
    fn what_is_not_repaired_is_noticed() {
        let mut seat = Seat::default();
        seat.told.set(3);
        repaired(&seat, 4, |_| false).unwrap();
        breaks(repaired(&seat, 4, |number| number == 3), Rule::Liveness);
        seat.excused.set(3);
        repaired(&seat, 4, |_| true).unwrap();
        seat = Seat::default();
        seat.told.set(3);
        seat.had.set(3);
        repaired(&seat, 4, |_| true).unwrap();
    }

    #[test]
    fn unrest_is_noticed() {
        let (seat, calm) = (Seat::default(), ChannelStatus::default());
        at_rest(&seat, &calm).unwrap();
        for restless in [
            ChannelStatus { waiting: 1, ..calm },
            ChannelStatus { missing: 1, ..calm },
            ChannelStatus { unacknowledged: 1, ..calm },
            ChannelStatus { repair_requests: 1, ..calm },
            ChannelStatus { repair_answers: 1, ..calm },
            ChannelStatus { held: 1, ..calm },
        ] {
            breaks(at_rest(&seat, &restless), Rule::Liveness);
        }
        let mut unseen = Seat::default();
        unseen.had.set(1);
        breaks(at_rest(&unseen, &calm), Rule::Liveness);
        let open = |given_up| Open { message: 0, earned_ms: None, known_ms: None, given_up };
        breaks(at_rest(&Seat { open: vec![open(false)], ..Seat::default() }, &calm), Rule::Liveness);
        at_rest(&Seat { open: vec![open(true)], ..Seat::default() }, &calm).unwrap();
    }
}
