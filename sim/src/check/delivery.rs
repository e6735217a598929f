//! What a host shows: each message once, as it was said, and after all that it names.

use super::{Rule, Verdict, must};
use crate::ledger::{Ledger, Seat};

/// A host is handed a message to show. `may_be_early`: how many messages its engine says it delivered before what they
/// name, for want of room.
pub fn shown(ledger: &Ledger, seat: &mut Seat, id: &str, content: &[u8], may_be_early: impl Fn() -> u64) -> Verdict {
    let number = ledger.number(id);
    must(number.is_some(), Rule::NothingMadeUp, || format!("nobody said {id}"))?;
    let Some(number) = number else { return Ok(()) };
    let said = ledger.of(number);
    must(content == said.content, Rule::NothingMadeUp, || {
        format!("message {number} has another content than was said")
    })?;
    must(seat.shown.set(number), Rule::NothingTwice, || format!("message {number} is shown twice"))?;
    let is_here = |named: &u32| seat.shown.get(*named) || seat.excused.get(*named);
    if let Some(named) = said.history.iter().find(|named| !is_here(named)) {
        seat.early += 1;
        let early = may_be_early();
        must(seat.early <= early, Rule::CausalOrder, || {
            format!("message {number} is shown before {named}, which it names")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{breaks, ledger, said};
    use super::*;

    fn show(seat: &mut Seat, number: u32, early: u64) -> Verdict {
        shown(&ledger(4), seat, &format!("m{number}"), &said(number), || early)
    }

    #[test]
    fn in_order_and_once_is_fine() {
        let seat = &mut Seat::default();
        for number in 0..4 {
            show(seat, number, 0).unwrap();
        }
    }

    #[test]
    fn twice_is_noticed() {
        let seat = &mut Seat::default();
        show(seat, 0, 0).unwrap();
        breaks(show(seat, 0, 0), Rule::NothingTwice);
    }

    #[test]
    fn out_of_causal_order_is_noticed() {
        breaks(show(&mut Seat::default(), 1, 0), Rule::CausalOrder);
        let seat = &mut Seat::default();
        seat.excused.set(0);
        show(seat, 1, 0).unwrap();
        breaks(show(seat, 3, 0), Rule::CausalOrder);
        // As often as the engine owns up to.
        let seat = &mut Seat::default();
        show(seat, 1, 1).unwrap();
        breaks(show(seat, 3, 1), Rule::CausalOrder);
    }

    #[test]
    fn what_nobody_said_is_noticed() {
        let seat = &mut Seat::default();
        breaks(shown(&ledger(1), seat, "m7", &said(7), || 0), Rule::NothingMadeUp);
        breaks(shown(&ledger(1), seat, "m0", &said(1), || 0), Rule::NothingMadeUp);
        breaks(shown(&ledger(1), seat, "m0", b"", || 0), Rule::NothingMadeUp);
    }
}
