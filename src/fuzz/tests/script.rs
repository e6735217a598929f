//! Inputs of the targets `ops` and `ffi`, written by hand.

use crate::fuzz::step::kind;

pub const ALICE: u8 = 0;
pub const BOB: u8 = 1;

/// An input of `ops`, step by step.
#[derive(Clone)]
pub struct Ops(Vec<u8>);

impl Ops {
    /// Both have the channel; the bits are those of their configurations.
    pub fn open(bits: [u8; 2], options: u8) -> Self {
        Self(bits.to_vec()).step(kind::OPEN, ALICE, &[options]).step(kind::OPEN, BOB, &[options])
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn step(mut self, kind: u8, who: u8, rest: &[u8]) -> Self {
        self.0.extend([kind, who]);
        self.0.extend_from_slice(rest);
        self
    }

    pub fn wrap(self, who: u8, id: u8) -> Self {
        self.step(kind::WRAP, who, &[id, 20 + id])
    }

    /// Receives the message before the last `back` ones on the network.
    pub fn receive(self, who: u8, back: u8) -> Self {
        self.step(kind::RECEIVE, who, &[back])
    }

    pub fn receive_all(self, who: u8) -> Self {
        self.step(kind::RECEIVE_ALL, who, &[255])
    }

    pub fn tick(self, who: u8) -> Self {
        self.step(kind::TICK, who, &[])
    }

    /// Both clocks go forward, and what is due is done and heard.
    pub fn pass(self, seconds: u8) -> Self {
        let mut script = self;
        for who in [ALICE, BOB] {
            script = script.step(kind::CLOCK, who, &[2, seconds, 0]).tick(who);
        }
        script.receive_all(ALICE).receive_all(BOB)
    }

    /// Receives a message of mallory's, stamped now, with content 9, naming and asking for ids.
    pub fn forged(self, who: u8, libsds: bool, id: u8, names: &[u8], asks: &[u8], filter: u8) -> Self {
        let mut rest = vec![2 << 1 | u8::from(libsds), id, 0x62, 0, 0];
        for list in [names, asks] {
            rest.push(list.len() as u8);
            list.iter().for_each(|id| rest.extend([*id, 8]));
        }
        rest.extend([filter, 9]);
        self.step(kind::FORGED, who, &rest)
    }
}

/// An input of `ffi`, call by call, with sound arguments unless they are given.
#[derive(Clone, Default)]
pub struct Calls(Vec<u8>);

impl Calls {
    pub fn bytes(self) -> Vec<u8> {
        self.0
    }

    /// A call by its number, on a manager by its number, with an error structure, and more.
    pub fn call(mut self, number: u8, manager: u8, rest: &[u8]) -> Self {
        self.0.extend([number, manager, 0]);
        self.0.extend_from_slice(rest);
        self
    }

    /// One that is on no manager.
    pub fn plain(mut self, number: u8, rest: &[u8]) -> Self {
        self.0.push(number);
        self.0.extend_from_slice(rest);
        self
    }

    pub fn wrap(self, manager: u8, id: u8) -> Self {
        self.call(4, manager, &[0, id, 20 + id, 0])
    }

    pub fn unwrap(self, manager: u8, back: u8) -> Self {
        self.call(7, manager, &[back, 0])
    }

    /// Opens one whose state the host keeps, with what it has; `how` and `at` spoil a row.
    pub fn open_external(self, how: u8, at: u8) -> Self {
        self.plain(196, &[0, 0, how, at, how & 15])
    }

    /// Takes what the third manager offers, and confirms it.
    pub fn commit(self) -> Self {
        self.call(204, 2, &[0, 0]).call(220, 2, &[0])
    }

    pub fn pass(self, seconds: u8) -> Self {
        let script = self.plain(0, &[2, seconds, 0]);
        [0, 1].into_iter().fold(script, |script, manager| script.call(1, manager, &[]).call(2, manager, &[0]))
    }
}
