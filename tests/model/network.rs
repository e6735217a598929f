//! The network: it loses, repeats, delays and so reorders packets, and falls apart.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::history::Weather;
use crate::packet::Packet;

pub struct Network {
    pub weather: Weather,
    /// On which side of the network each participant is, as bits. Packets stay on their side.
    pub sides: u8,
    seed: u64,
    flights: BTreeMap<(u64, u64), (usize, Rc<Packet>)>,
    departures: u64,
    /// How often each message went out, so that each copy has a fate of its own.
    copies: BTreeMap<String, u64>,
    /// Everything that was ever broadcast, once.
    pub past: Vec<Rc<Packet>>,
}

impl Network {
    pub fn new(weather: Weather, seed: u64) -> Self {
        Self {
            weather,
            sides: 0,
            seed,
            flights: BTreeMap::new(),
            departures: 0,
            copies: BTreeMap::new(),
            past: Vec::new(),
        }
    }

    /// Broadcasts a packet to a group of `size`. `from`: who does, be it the one who made it or another.
    pub fn broadcast(&mut self, packet: &Rc<Packet>, from: usize, size: usize, now_ms: u64) {
        let copies = self.copies.entry(packet.id.clone()).or_default();
        *copies += 1;
        let copy = *copies;
        if copy == 1 {
            self.past.push(packet.clone());
        }
        for to in 0..size {
            let mut fate = self.fate(&packet.id, copy, to);
            let side = |who: usize| self.sides >> who & 1;
            let wanted = if to == from { fate.u8(0..100) < self.weather.echoed } else { true };
            if !wanted || side(to) != side(from) || fate.u8(0..100) < self.weather.lost {
                continue;
            }
            let times = if fate.u8(0..100) < self.weather.doubled { 2 } else { 1 };
            for _ in 0..times {
                let delay_ms = fate.u64(0..=self.weather.delay_ms);
                self.send(packet, to, now_ms + delay_ms);
            }
        }
    }

    /// Lets a packet arrive at one participant.
    pub fn send(&mut self, packet: &Rc<Packet>, to: usize, at_ms: u64) {
        self.departures += 1;
        self.flights.insert((at_ms, self.departures), (to, packet.clone()));
    }

    pub fn next_arrival_ms(&self) -> Option<u64> {
        self.flights.keys().next().map(|key| key.0)
    }

    pub fn land(&mut self) -> Option<(usize, Rc<Packet>)> {
        self.flights.pop_first().map(|(_, flight)| flight)
    }

    /// What becomes of a copy depends on nothing but its name, so that a shrunk history fails as the whole one did.
    fn fate(&self, id: &str, copy: u64, to: usize) -> fastrand::Rng {
        let mix = |state: u64, byte: u64| (state ^ byte).wrapping_mul(0x0000_0100_0000_01b3);
        let named = id.bytes().fold(self.seed ^ 0xcbf2_9ce4_8422_2325, |state, byte| mix(state, u64::from(byte)));
        fastrand::Rng::with_seed(mix(mix(named, copy), to as u64))
    }
}
