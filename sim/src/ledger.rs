//! The truth: what was said, and what each participant has, showed and was told. Kept by the simulator, beside the engines,
//! for checkers and figures to compare with.

use std::collections::HashMap;

use bytes::Bytes;
use sds::types::MessageId;

use crate::bits::Bits;

/// A message with content, by its number in the order they were said.
#[derive(Clone, Debug)]
pub struct Said {
    pub id: MessageId,
    pub who: u32,
    pub said_ms: u64,
    pub stamp_ms: u64,
    pub content: Bytes,
    /// What it names, as far as that was said. Known from its first broadcast on.
    pub history: Vec<u32>,
    /// The packet of its first broadcast; `None` before.
    pub packet: Option<u32>,
}

/// All that was said.
#[derive(Debug, Default)]
pub struct Ledger {
    pub said: Vec<Said>,
    /// Looked up, and never walked through.
    by_id: HashMap<MessageId, u32>,
}

impl Ledger {
    pub fn add(&mut self, said: Said) -> u32 {
        let number = self.said.len() as u32;
        self.by_id.insert(said.id.clone(), number);
        self.said.push(said);
        number
    }

    pub fn number(&self, id: &str) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    pub fn of(&self, number: u32) -> &Said {
        &self.said[number as usize]
    }

    pub fn len(&self) -> u32 {
        self.said.len() as u32
    }
}

/// A message of one's own that was not acknowledged yet.
#[derive(Clone, Debug)]
pub struct Open {
    pub message: u32,
    /// When something arrived that was made by somebody who had it.
    pub earned_ms: Option<u64>,
    /// When its sender was sure enough.
    pub known_ms: Option<u64>,
    pub given_up: bool,
}

/// What is true of one participant.
#[derive(Debug, Default)]
pub struct Seat {
    /// What it received, or said.
    pub had: Bits,
    /// What its host has shown.
    pub shown: Bits,
    /// What its host was told not to wait for: lost, or from before it came.
    pub excused: Bits,
    /// What its host was told to be missing.
    pub told: Bits,
    /// What did not arrive when it was broadcast first.
    pub missed: Bits,
    /// What somebody who sees through everything would know of, by what arrived here.
    pub could: Bits,
    /// The same, by what the makers of packets had in their logs.
    pub could_by_log: Bits,
    /// What it could have had within 6 S, as counted.
    pub reach: Bits,
    /// It has everything up to here, when last looked at.
    pub complete: u32,
    pub open: Vec<Open>,
    /// What was shown before something it names, so far.
    pub early: u64,
}

impl Seat {
    /// Whether it knows that a message exists.
    pub fn knows(&self, message: u32) -> bool {
        self.had.get(message) || self.told.get(message) || self.excused.get(message)
    }
}

/// What is broadcast.
#[derive(Debug)]
pub struct Packet {
    pub bytes: Bytes,
    pub maker: u32,
    /// The message it is; `None`: a sync message.
    pub message: Option<u32>,
    /// What its maker had when it was made.
    pub had: Bits,
    /// What of that was in its maker's log: all but what waited for something else.
    pub logged: Bits,
    /// What it asks for.
    pub asks: Vec<u32>,
    /// Copies under way; a sync message of which none is left is dropped.
    pub flights: u32,
}

/// All packets, by number.
#[derive(Debug, Default)]
pub struct Packets(Vec<Option<Packet>>);

impl Packets {
    pub fn add(&mut self, packet: Packet) -> u32 {
        self.0.push(Some(packet));
        (self.0.len() - 1) as u32
    }

    pub fn get(&self, number: u32) -> Option<&Packet> {
        self.0[number as usize].as_ref()
    }

    pub fn takes_off(&mut self, number: u32, copies: u32) {
        if let Some(packet) = &mut self.0[number as usize] {
            packet.flights += copies;
        }
    }

    pub fn landed(&mut self, number: u32) {
        let place = &mut self.0[number as usize];
        if let Some(packet) = place {
            packet.flights = packet.flights.saturating_sub(1);
            if packet.flights == 0 && packet.message.is_none() {
                *place = None;
            }
        }
    }
}
