//! Acknowledgements: a sender is told that somebody has its message only after it heard from somebody who had it.

use super::{Rule, Verdict, must};
use crate::ledger::{Ledger, Open, Seat};

/// A packet arrives that was made by somebody else, who had the messages for which `had` says true: our own among them
/// have earned an acknowledgement.
pub fn heard(seat: &mut Seat, now_ms: u64, had: impl Fn(u32) -> bool, mut earned: impl FnMut(u32)) {
    for open in seat.open.iter_mut().filter(|open| open.earned_ms.is_none() && had(open.message)) {
        open.earned_ms = Some(now_ms);
        earned(open.message);
    }
}

/// A host is told that somebody has a message of its own. Returns what was known of it. `sure`: that has to be true; where
/// one filter that errs is enough, it need not be, and is counted.
pub fn acknowledged(ledger: &Ledger, seat: &mut Seat, who: u32, id: &str, sure: bool) -> Result<Open, super::Broken> {
    let own = ledger.number(id).filter(|number| ledger.of(*number).who == who);
    let place = own.and_then(|number| seat.open.iter().position(|open| open.message == number));
    must(place.is_some(), Rule::EarnedAcks, || format!("{id} is acknowledged, and is none that waits for it"))?;
    let open = seat.open.swap_remove(place.unwrap_or_default());
    let number = open.message;
    must(open.earned_ms.is_some() || !sure, Rule::EarnedAcks, || {
        format!("message {number} is acknowledged, and nothing arrived from anybody who had it")
    })?;
    Ok(open)
}

/// A host is told that a message of its own is given up. Each is once.
pub fn given_up(ledger: &Ledger, seat: &mut Seat, id: &str) -> Verdict {
    let number = ledger.number(id);
    let open = seat.open.iter_mut().find(|open| Some(open.message) == number);
    must(open.is_some(), Rule::EarnedAcks, || format!("{id} is given up, and is none that waits"))?;
    open.into_iter().for_each(|open| open.given_up = true);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{breaks, ledger};
    use super::*;

    fn seat() -> Seat {
        let open = |message| Open { message, earned_ms: None, known_ms: None, given_up: false };
        Seat { open: vec![open(0), open(1)], ..Seat::default() }
    }

    #[test]
    fn an_earned_ack_is_fine_once() {
        let (ledger, seat) = (ledger(2), &mut seat());
        let mut earned = Vec::new();
        heard(seat, 5, |number| number == 1, |number| earned.push(number));
        heard(seat, 6, |_| true, |number| earned.push(number));
        assert_eq!(earned, [1, 0]);
        assert_eq!(acknowledged(&ledger, seat, 0, "m1", true).unwrap().earned_ms, Some(5));
        breaks(acknowledged(&ledger, seat, 0, "m1", true).map(drop), Rule::EarnedAcks);
    }

    #[test]
    fn an_ack_that_nobody_earned_is_noticed() {
        let ledger = ledger(3);
        breaks(acknowledged(&ledger, &mut seat(), 0, "m0", true).map(drop), Rule::EarnedAcks);
        // Where an error is possible, it is no breach; what nobody said is one all the same.
        assert_eq!(acknowledged(&ledger, &mut seat(), 0, "m0", false).unwrap().earned_ms, None);
        breaks(acknowledged(&ledger, &mut seat(), 0, "m2", false).map(drop), Rule::EarnedAcks);
        let heard_all = || {
            let mut seat = seat();
            heard(&mut seat, 1, |_| true, |_| ());
            seat
        };
        // Somebody else's, one that was never open, and one that nobody said.
        breaks(acknowledged(&ledger, &mut heard_all(), 1, "m0", true).map(drop), Rule::EarnedAcks);
        breaks(acknowledged(&ledger, &mut heard_all(), 0, "m2", true).map(drop), Rule::EarnedAcks);
        breaks(acknowledged(&ledger, &mut heard_all(), 0, "m9", true).map(drop), Rule::EarnedAcks);
        breaks(given_up(&ledger, &mut seat(), "m2"), Rule::EarnedAcks);
        given_up(&ledger, &mut seat(), "m1").unwrap();
    }
}
