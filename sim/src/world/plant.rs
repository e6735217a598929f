//! Mistakes made on purpose, to see that the checkers notice them in a whole run.

use clap::ValueEnum;
use sds::output::ChannelStatus;

use crate::ledger::Seat;

/// A mistake between an engine and its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// A message is shown a second time.
    ShowTwice,
    /// A message that waits is shown at once.
    ShowEarly,
    /// A message is acknowledged as soon as it is said.
    AckUnheard,
    /// A buffer seems to hold more than it may.
    Overflow,
    /// A message is gone from a log.
    ForgetLogged,
    /// Senders are never told of acknowledgements.
    SwallowAcks,
}

/// The mistakes, and by which rules they may be noticed.
#[cfg(test)]
pub const NOTICED: &[(Plant, crate::check::Rule)] = {
    use crate::check::Rule;
    &[
        (Plant::ShowTwice, Rule::NothingTwice),
        (Plant::ShowEarly, Rule::CausalOrder),
        (Plant::AckUnheard, Rule::EarnedAcks),
        (Plant::Overflow, Rule::Bounds),
        (Plant::ForgetLogged, Rule::EqualLogs),
        (Plant::SwallowAcks, Rule::Liveness),
    ]
};

pub fn shows_twice(plant: Option<Plant>, seat: &Seat) -> bool {
    plant == Some(Plant::ShowTwice) && seat.shown.len() > 3
}

pub fn status(plant: Option<Plant>, status: &mut ChannelStatus) {
    if plant == Some(Plant::Overflow) && status.received > 3 {
        status.waiting += 100_000;
    }
}

pub fn log(plant: Option<Plant>, log: &mut Vec<String>) {
    if plant == Some(Plant::ForgetLogged) {
        log.pop();
    }
}
