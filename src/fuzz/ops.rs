//! Target `ops`: two members and a stranger on a network that does anything, with every call there is, at any time.

use arbitrary::{Result, Unstructured};
use bytes::Bytes;

use super::forge::Stranger;
use super::member::Member;
use super::step::{Action, Damage, Step, channel, content, id};
use super::{NOW, limits};
use crate::output::ChannelOptions;
use crate::types::Profile;

/// Longer inputs say nothing that shorter ones cannot, and take long.
const MOST_STEPS: usize = 160;
/// Messages that the network remembers, and that one step hands over.
const MOST_PACKETS: usize = 64;
const MOST_AT_ONCE: usize = 16;

/// The input: the bits of either member's configuration, then steps.
pub(super) fn run(bytes: &[u8]) {
    // Too few bytes for another step are the end.
    let _ = play(&mut Unstructured::new(bytes));
}

fn play(input: &mut Unstructured<'_>) -> Result<()> {
    let bits: [u8; 2] = input.arbitrary()?;
    let names = ["alice", "bob"];
    let mut world = World {
        members: [0, 1].map(|who| Member::new(limits::by_bits(bits[who], names[who]), NOW)),
        names,
        packets: Vec::new(),
        known: Vec::new(),
    };
    for _ in 0..MOST_STEPS {
        let Ok(step) = input.arbitrary::<Step>() else { break };
        world.step(&step);
    }
    for who in 0..2 {
        world.members[who].settle();
    }
    Ok(())
}

/// Everybody, and what is on the network.
struct World {
    members: [Member; 2],
    names: [&'static str; 2],
    packets: Vec<Bytes>,
    /// The ids of the messages that were sent.
    known: Vec<String>,
}

impl World {
    fn step(&mut self, step: &Step) {
        let place = channel(step.channel);
        let place = place.as_str();
        let member = &mut self.members[step.who];
        match &step.action {
            Action::Clock(clock) => member.set_clock(*clock),
            Action::Tick => member.tick(),
            Action::Open { options } => member.open(place, channel_options(*options)),
            Action::Close => member.close(place),
            Action::Forget => member.forget(place),
            Action::Reset => member.reset(),
            Action::Online(online) => member.set_online(*online),
            Action::Wrap { id: number, content: size } => {
                member.wrap(place, id(*number, &self.known).as_deref(), &content(*size));
            }
            Action::Whisper { id: number, content: size } => {
                member.whisper(place, id(*number, &self.known).as_deref(), &content(*size));
            }
            Action::Receive { packet, damage } => {
                let back = usize::from(*packet) % self.packets.len().max(1);
                if let Some(packet) = self.packets.iter().rev().nth(back) {
                    member.receive(&damaged(packet, damage));
                }
            }
            Action::ReceiveAll { latest } => {
                let from = self.packets.len().saturating_sub(usize::from(*latest).min(MOST_AT_ONCE));
                self.packets[from..].iter().for_each(|packet| member.receive(packet));
            }
            Action::Forged(forged) => {
                let stranger = Stranger { members: self.names, known: &self.known, now_ms: member.now_ms };
                let bytes = stranger.forge(forged, place);
                member.receive(&bytes);
                self.packets.push(bytes.into());
            }
            Action::Bytes(bytes) => member.receive(bytes),
            Action::Mark { ids } => {
                let ids: Vec<_> = ids.iter().map(|number| id(*number, &self.known).unwrap_or_default()).collect();
                member.mark(place, &ids);
            }
            Action::Hint { id: number, length } => {
                member.hint(place, &id(*number, &self.known).unwrap_or_default(), &content(*length));
            }
            Action::Retry { id: number } => member.retry(place, &id(*number, &self.known).unwrap_or_default()),
            Action::Cancel { id: number } => member.cancel(place, &id(*number, &self.known).unwrap_or_default()),
            Action::Look { id: number } => member.look(place, &id(*number, &self.known).unwrap_or_default()),
            Action::Drains(drains) => member.set_drains(*drains),
            Action::DrainSome { count } => member.drain_some(usize::from(*count)),
        }
        self.take_sent(step.who);
    }

    /// What a member sent is on the network.
    fn take_sent(&mut self, who: usize) {
        for (message_id, bytes) in self.members[who].take_sent() {
            self.known.push(message_id);
            self.packets.push(bytes);
        }
        let surplus = self.packets.len().saturating_sub(MOST_PACKETS);
        self.packets.drain(..surplus);
    }
}

fn channel_options(bits: u8) -> ChannelOptions {
    let profile = match bits & 3 {
        1 => Some(Profile::Libsds),
        2 => Some(Profile::Rfc),
        _ => None,
    };
    ChannelOptions { profile, from_now: bits & 4 != 0, derived_ids: bits & 8 != 0 }
}

fn damaged(packet: &Bytes, damage: &[Damage]) -> Vec<u8> {
    let mut bytes = packet.to_vec();
    for damage in damage {
        match *damage {
            Damage::Cut(at) => bytes.truncate(usize::from(at)),
            Damage::Flip(at, mask) => {
                // Most of a message is its filter, at its end: what comes before matters more.
                let within = bytes.len().min(if mask & 1 == 1 { 128 } else { usize::MAX });
                if let Some(byte) = bytes.get_mut(usize::from(at) % within.max(1)) {
                    *byte ^= mask;
                }
            }
        }
    }
    bytes
}
