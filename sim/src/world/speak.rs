//! What a participant says and sends.

use bytes::Bytes;
use sds::output::{Transmit, TransmitReason};
use sds::{Config, Error, wire};
use sha2::Digest;

use super::{Event, Plant, World};
use crate::check::{Broken, Rule, Violation, acks};
use crate::figures::{KINDS, S_MS};
use crate::ledger::{Open, Packet, Said};
use crate::network::Fate;
use crate::scenario::CHANNEL;
use crate::speech;

/// Why a packet goes out, as the figures count it.
fn kind(reason: TransmitReason) -> usize {
    match reason {
        TransmitReason::Resend => 1,
        TransmitReason::Sync => 2,
        TransmitReason::RepairRequest => 3,
        TransmitReason::RepairAnswer => 4,
        // A message of a host that commits first.
        TransmitReason::Publish => 5,
    }
}

impl World<'_> {
    /// Somebody says something, if it is there.
    pub(super) fn say(&mut self, who: u32, bytes: u64) -> Result<(), Violation> {
        let number = self.ledger.len();
        let member = self.member(who);
        let Some(engine) = member.engine() else { return Ok(()) };
        let content = speech::content(number, bytes);
        let wrapped = engine.wrap_outgoing(CHANNEL, None, &content, member.clock_ms(self.now_ms));
        let wrapped = match wrapped {
            // A limit, reached and told.
            Err(Error::TooManyUnacknowledged(_)) => return Ok(()),
            other => self.accept(who, "a message", other)?,
        };
        if self.dies(who) {
            return Ok(());
        }
        let said = Said {
            id: wrapped.message_id.clone(),
            who,
            said_ms: self.now_ms,
            stamp_ms: wrapped.lamport_timestamp_ms.unwrap_or_default(),
            content: content.into(),
            history: Vec::new(),
            packet: None,
        };
        self.ledger.add(said);
        let seat = &mut self.member_mut(who).seat;
        seat.had.set(number);
        seat.shown.set(number);
        seat.open.push(Open { message: number, earned_ms: None, known_ms: None, given_up: false });
        self.tell(who, Some(number), || "says it".to_owned());
        self.wheel.push(self.now_ms + 6 * S_MS, Event::Probe(number));
        if self.manner.plant == Some(Plant::AckUnheard) && number >= 3 {
            let Self { ledger, members, .. } = self;
            let verdict = acks::acknowledged(ledger, &mut members[who as usize].seat, who, &wrapped.message_id, true);
            self.judge(who, verdict)?;
        }
        if !wrapped.bytes.is_empty() {
            self.broadcast(who, wrapped.bytes, 0)?;
        }
        self.called(who)
    }

    /// An engine wants something sent.
    pub(super) fn transmit(&mut self, who: u32, transmit: Transmit) -> Result<(), Violation> {
        let Self { members, sent, now_ms, .. } = self;
        let member = &members[who as usize];
        let clock_ms = member.clock_ms(*now_ms);
        let verdict = match member.engine() {
            Some(engine) => {
                sent[who as usize].goes_out(transmit.reason, transmit.bytes.len(), clock_ms, engine.config())
            }
            None => Ok(()),
        };
        self.judge(who, verdict)?;
        self.broadcast(who, transmit.bytes, kind(transmit.reason))
    }

    /// Broadcasts bytes, if the network is reachable.
    fn broadcast(&mut self, who: u32, bytes: Bytes, kind: usize) -> Result<(), Violation> {
        if !self.member(who).is_online() {
            return Ok(());
        }
        let number = self.packet(who, &bytes)?;
        let message = self.packets.get(number).and_then(|packet| packet.message);
        self.tell(who, message, || format!("broadcasts: {}", KINDS[kind]));
        let at_ms = self.elapsed_ms();
        self.figures.broadcast(kind, bytes.len(), at_ms);
        self.packet_digest.update(at_ms.to_le_bytes());
        self.packet_digest.update(who.to_le_bytes());
        self.packet_digest.update(&bytes);
        let first = message.filter(|message| self.ledger.of(*message).packet.is_none());
        if let Some(message) = first {
            self.ledger.said[message as usize].packet = Some(number);
            self.figures.said(message);
        }
        if let (Some(store), Some(message)) = (&mut self.store, message) {
            store.hears(message, number);
        }
        let Self { network, wheel, packets, members, figures, now_ms, .. } = self;
        let mut copies = 0;
        network.broadcast(who, *now_ms, |to, fate| match fate {
            Fate::Lost => {
                if let Some(message) = first.filter(|_| to != who) {
                    members[to as usize].seat.missed.set(message);
                    figures.missed(message);
                }
            }
            Fate::Arrives { after_ms, again_after_ms } => {
                for after_ms in [Some(after_ms), again_after_ms].into_iter().flatten() {
                    wheel.push(*now_ms + after_ms, Event::Arrive { to, packet: number });
                    copies += 1;
                }
            }
        });
        packets.takes_off(number, copies);
        Ok(())
    }

    /// The packet that bytes are: a message that was broadcast before is the packet it was then.
    fn packet(&mut self, who: u32, bytes: &Bytes) -> Result<u32, Violation> {
        let limits = Config::default();
        let decoded = wire::decode(bytes, &limits);
        let broken = |error| Broken { rule: Rule::Accepted, how: format!("what is sent does not decode: {error}") };
        let (_, message) = self.judge(who, decoded.map_err(broken))?;
        let number = self.ledger.number(message.message_id);
        let before = number.and_then(|number| self.ledger.of(number).packet);
        if let Some(before) = before {
            // An answer in another format than the message came in is another packet, of the same maker.
            let same = self.packets.get(before).is_some_and(|packet| packet.bytes == *bytes);
            if same {
                return Ok(before);
            }
        }
        let maker = number.map_or(who, |number| self.ledger.of(number).who);
        let named = message.causal_history.iter().filter_map(|entry| self.ledger.number(entry.message_id)).collect();
        let asks = message.repair_request.iter().filter_map(|entry| self.ledger.number(entry.message_id)).collect();
        let made = before.and_then(|before| self.packets.get(before));
        let seat = &self.member(who).seat;
        let had = made.map_or(&seat.had, |packet| &packet.had).clone();
        let logged = made.map_or(&seat.shown, |packet| &packet.logged).clone();
        if let Some(number) = number.filter(|_| before.is_none()) {
            self.ledger.said[number as usize].history = named;
        }
        Ok(self.packets.add(Packet { bytes: bytes.clone(), maker, message: number, had, logged, asks, flights: 0 }))
    }
}
