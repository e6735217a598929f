//! Steps of the target `ops`, read from bytes. A step is a kind, who does it where, and a few bytes more.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::types::TimeMs;

/// One call, or something that happens on the network.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Which of the two members.
    pub who: usize,
    /// In which channel: see [`channel`].
    pub channel: u8,
    pub action: Action,
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Its clock.
    Clock(Clock),
    Tick,
    /// 1: the libsds format; 2: the rfc format; 4: from now on; 8: derived ids.
    Open {
        options: u8,
    },
    Close,
    Forget,
    Reset,
    Online(bool),
    Wrap {
        id: u8,
        content: u8,
    },
    Whisper {
        id: u8,
        content: u8,
    },
    /// Receives one of the latest messages on the network, whole or damaged.
    Receive {
        packet: u8,
        damage: Vec<Damage>,
    },
    /// Receives the latest messages on the network, oldest first.
    ReceiveAll {
        latest: u8,
    },
    /// Receives a message of a stranger.
    Forged(Forged),
    /// Receives bytes.
    Bytes(Vec<u8>),
    Mark {
        ids: Vec<u8>,
    },
    Hint {
        id: u8,
        length: u8,
    },
    Retry {
        id: u8,
    },
    Cancel {
        id: u8,
    },
    /// All calls that only look.
    Look {
        id: u8,
    },
    /// Its host drains after each call, or for a while not at all.
    Drains(bool),
    /// Its host takes so many outputs.
    DrainSome {
        count: u8,
    },
}

/// What happens to a message on its way.
#[derive(Clone, Debug)]
pub(super) enum Damage {
    Cut(u16),
    Flip(u16, u8),
}

/// What a host's clock does.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    Forward(TimeMs),
    Back(TimeMs),
    /// To a time of its own.
    To(TimeMs),
    /// To the next deadline.
    Due,
}

/// A message made up from fields. Ids are as in [`id`].
#[derive(Clone, Debug)]
pub(super) struct Forged {
    pub libsds: bool,
    /// 0 to 3: four senders, the first two being the members; otherwise the id.
    pub sender: u8,
    pub id: u8,
    pub stamp: Stamp,
    pub history: Vec<Named>,
    pub requests: Vec<Named>,
    /// Which filter: see `forge::filter`.
    pub filter: u8,
    pub content: u8,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub id: u8,
    /// Its low bits the sender, then whether there is one, then the length of a hint.
    pub more: u8,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Stamp {
    None,
    Early(TimeMs),
    Late(TimeMs),
    Exactly(u64),
}

impl<'a> Arbitrary<'a> for Step {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let kind = byte(input)?;
        let place = byte(input)?;
        let action = action(kind, input)?;
        Ok(Self { who: usize::from(place & 1), channel: place >> 1, action })
    }
}

/// The kinds by their numbers, which stay. Numbers that are not taken yet are a tick, too.
pub(super) mod kind {
    pub const CLOCK: u8 = 0;
    pub const TICK: u8 = 1;
    pub const OPEN: u8 = 2;
    pub const CLOSE: u8 = 3;
    pub const FORGET: u8 = 4;
    pub const RESET: u8 = 5;
    pub const ONLINE: u8 = 6;
    pub const WRAP: u8 = 7;
    pub const WHISPER: u8 = 8;
    pub const RECEIVE: u8 = 9;
    pub const DAMAGED: u8 = 10;
    pub const RECEIVE_ALL: u8 = 11;
    pub const FORGED: u8 = 12;
    pub const BYTES: u8 = 13;
    pub const MARK: u8 = 14;
    pub const HINT: u8 = 15;
    pub const RETRY: u8 = 16;
    pub const CANCEL: u8 = 17;
    pub const LOOK: u8 = 18;
    pub const DRAINS: u8 = 19;
    pub const DRAIN_SOME: u8 = 20;
    /// The same as FORGED: what strangers can do matters most.
    pub const FORGED_TOO: u8 = 21;
}

fn action(number: u8, input: &mut Unstructured<'_>) -> Result<Action> {
    Ok(match number & 31 {
        kind::CLOCK => Action::Clock(clock(input)?),
        kind::OPEN => Action::Open { options: byte(input)? },
        kind::CLOSE => Action::Close,
        kind::FORGET => Action::Forget,
        kind::RESET => Action::Reset,
        kind::ONLINE => Action::Online(byte(input)? & 1 == 1),
        kind::WRAP => Action::Wrap { id: byte(input)?, content: byte(input)? },
        kind::WHISPER => Action::Whisper { id: byte(input)?, content: byte(input)? },
        kind::RECEIVE => Action::Receive { packet: byte(input)?, damage: Vec::new() },
        kind::DAMAGED => Action::Receive { packet: byte(input)?, damage: list(input, 3, damage)? },
        kind::RECEIVE_ALL => Action::ReceiveAll { latest: byte(input)? },
        kind::FORGED | kind::FORGED_TOO => Action::Forged(forged(input)?),
        kind::BYTES => {
            let length = usize::from(byte(input)?).min(input.len());
            Action::Bytes(input.bytes(length)?.to_vec())
        }
        kind::MARK => Action::Mark { ids: list(input, 7, byte)? },
        kind::HINT => Action::Hint { id: byte(input)?, length: byte(input)? },
        kind::RETRY => Action::Retry { id: byte(input)? },
        kind::CANCEL => Action::Cancel { id: byte(input)? },
        kind::LOOK => Action::Look { id: byte(input)? },
        kind::DRAINS => Action::Drains(byte(input)? & 1 == 1),
        kind::DRAIN_SOME => Action::DrainSome { count: byte(input)? },
        kind::TICK.. => Action::Tick,
    })
}

fn byte(input: &mut Unstructured<'_>) -> Result<u8> {
    input.arbitrary()
}

fn short(input: &mut Unstructured<'_>) -> Result<u16> {
    input.arbitrary()
}

fn list<'a, T>(
    input: &mut Unstructured<'a>,
    most: u8,
    mut item: impl FnMut(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = byte(input)? % (most + 1);
    (0..count).map(|_| item(input)).collect()
}

fn damage(input: &mut Unstructured<'_>) -> Result<Damage> {
    Ok(match byte(input)? {
        0 => Damage::Cut(short(input)?),
        mask => Damage::Flip(short(input)?, mask),
    })
}

/// The end of the year 9999, beyond which times are refused.
pub(super) const END_OF_TIME_MS: TimeMs = 253_402_300_799_999;

/// A length of time: milliseconds to days.
fn duration(unit: u8, count: u16) -> TimeMs {
    let unit_ms = [1, 100, 1_000, 30_000, 60_000, 3_600_000, 86_400_000, 86_400_000 * 365];
    u64::from(count) * unit_ms[usize::from(unit % 8)]
}

fn clock(input: &mut Unstructured<'_>) -> Result<Clock> {
    let how = byte(input)?;
    Ok(match how >> 4 {
        0..=6 => Clock::Forward(duration(how, short(input)?)),
        7..=10 => Clock::Due,
        11 | 12 => Clock::Back(duration(how, short(input)?)),
        13 => Clock::To(duration(how, short(input)?)),
        14 => Clock::To(END_OF_TIME_MS.saturating_sub(duration(how, short(input)?))),
        _ => Clock::To(END_OF_TIME_MS + 1 + input.arbitrary::<u64>()? % (u64::MAX - END_OF_TIME_MS)),
    })
}

fn forged(input: &mut Unstructured<'_>) -> Result<Forged> {
    let flags = byte(input)?;
    Ok(Forged {
        libsds: flags & 1 == 1,
        sender: flags >> 1,
        id: byte(input)?,
        stamp: stamp(input)?,
        history: list(input, 18, named)?,
        requests: list(input, 5, named)?,
        filter: byte(input)?,
        content: byte(input)?,
    })
}

fn named(input: &mut Unstructured<'_>) -> Result<Named> {
    Ok(Named { id: byte(input)?, more: byte(input)? })
}

fn stamp(input: &mut Unstructured<'_>) -> Result<Stamp> {
    let how = byte(input)?;
    Ok(match how >> 4 {
        0 => Stamp::None,
        1..=5 => Stamp::Early(duration(how, short(input)?)),
        6..=12 => Stamp::Late(duration(how, short(input)?)),
        13 => Stamp::Exactly(u64::from(short(input)?)),
        14 => Stamp::Exactly(u64::MAX - u64::from(short(input)?)),
        _ => Stamp::Exactly(input.arbitrary()?),
    })
}

/// The channel of a number: four sound ones, of which no more than three fit the tight limits, and two that are none.
pub(super) fn channel(number: u8) -> String {
    match number % 16 {
        0..=9 => "garden".to_owned(),
        10 | 11 => "kitchen".to_owned(),
        12 => "attic".to_owned(),
        13 => "cellar ☂".to_owned(),
        14 => "c".repeat(257),
        _ => String::new(),
    }
}

/// The message id of a number; `None`: to be derived. Few names, so that they meet; `known` are those that exist already,
/// such as derived ones.
pub(super) fn id(number: u8, known: &[String]) -> Option<String> {
    match number {
        0..=127 => Some(format!("m{}", number % 32)),
        128..=239 => {
            let back = usize::from(number - 128) % known.len().max(1);
            Some(known.iter().rev().nth(back).cloned().unwrap_or_else(|| "m0".to_owned()))
        }
        240 => Some(String::new()),
        241 => Some("i".repeat(64)),
        242 => Some("i".repeat(65)),
        243 => Some("i".repeat(257)),
        244 => Some("☂ é 🦀".to_owned()),
        245 => Some("\0".to_owned()),
        _ => None,
    }
}

/// The content of a number: its length tells it from others.
pub(super) fn content(number: u8) -> Vec<u8> {
    let length = match number {
        0..=239 => usize::from(number),
        // Up to 30,000 bytes: with a filter, over the tight limit of a message.
        _ => usize::from(number - 239) * 1_875,
    };
    vec![b'x'; length]
}
