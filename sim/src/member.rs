//! A participant: its engine, its clock, where its state is kept, and whether it is there.

use std::collections::BTreeMap;

use sds::output::{ChannelOptions, Output};
use sds::record::{Key, Value};
use sds::store::{Memory, Write};
use sds::types::ChannelId;
use sds::{Error, Manager};

use crate::chance::{Purpose, mix};
use crate::ledger::Seat;
use crate::scenario::{CHANNEL, Keeping, Scenario};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Not yet.
    Expected,
    Online,
    /// Running, and not reachable.
    Offline,
    Crashed,
    /// For good.
    Gone,
}

/// The records of a host that keeps them by itself.
type Records = BTreeMap<(ChannelId, Key), Vec<u8>>;

#[derive(Debug)]
enum Keep {
    Memory,
    Store(Memory),
    Host(Records),
}

#[derive(Debug)]
pub struct Member {
    who: u32,
    engine: Option<Manager>,
    keep: Keep,
    pub presence: Presence,
    /// Its clock minus the true time.
    pub skew_ms: i64,
    /// When it will tick, in true time.
    pub tick_ms: Option<u64>,
    /// How often it has ticked within this millisecond.
    pub ticks: (u64, u32),
    /// It will die in its next call, before what that changed is committed.
    pub dying: bool,
    pub seat: Seat,
}

impl Member {
    pub fn new(scenario: &Scenario, who: u32) -> Self {
        let by_chance = mix(scenario.seed, Purpose::Store, u64::from(who)).is_multiple_of(2);
        let keep = match scenario.keeping {
            Keeping::Memory => Keep::Memory,
            Keeping::Store => Keep::Store(Memory::default()),
            Keeping::Host => Keep::Host(Records::new()),
            Keeping::Mixed if by_chance => Keep::Store(Memory::default()),
            Keeping::Mixed => Keep::Host(Records::new()),
        };
        Self {
            who,
            engine: None,
            keep,
            presence: Presence::Expected,
            skew_ms: scenario.skew_of(who),
            tick_ms: None,
            ticks: (0, 0),
            dying: false,
            seat: Seat::default(),
        }
    }

    /// What its clock shows.
    pub fn clock_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_add_signed(self.skew_ms)
    }

    /// Its engine, if it is running.
    pub fn engine(&self) -> Option<&Manager> {
        self.engine.as_ref().filter(|_| matches!(self.presence, Presence::Online | Presence::Offline))
    }

    pub fn is_online(&self) -> bool {
        self.presence == Presence::Online
    }

    /// Begins, or goes on with the state that is kept.
    pub fn start(&mut self, scenario: &Scenario, now_ms: u64) -> Result<(), Error> {
        let now_ms = self.clock_ms(now_ms);
        if let Some(engine) = &self.engine {
            // It was frozen: what it was told of the network before holds no more.
            engine.set_online(true, now_ms)?;
        } else {
            let config = scenario.config(self.who);
            let engine = match &self.keep {
                Keep::Memory => Manager::open(config)?,
                Keep::Store(store) => Manager::open_store(config, store.clone(), now_ms)?,
                Keep::Host(records) => {
                    let records = records.iter().map(|((id, key), value)| (id.clone(), *key, value.clone()));
                    Manager::open_external(config, records.collect::<Vec<_>>(), now_ms)?
                }
            };
            engine.open_channel(CHANNEL, ChannelOptions::default(), now_ms)?;
            self.engine = Some(engine);
            self.commit()?;
        }
        self.presence = Presence::Online;
        self.tick_ms = None;
        Ok(())
    }

    /// Its process dies: what is in memory only, is frozen.
    pub fn crash(&mut self) {
        self.presence = Presence::Crashed;
        self.dying = false;
        if !matches!(self.keep, Keep::Memory) {
            self.engine = None;
        }
    }

    /// Goes for good, and takes no memory.
    pub fn leave(&mut self) {
        self.presence = Presence::Gone;
        self.engine = None;
    }

    /// Whether what a call changed is lost if the process dies before it is committed.
    pub fn may_die(&self) -> bool {
        matches!(self.keep, Keep::Host(_))
    }

    /// A host that keeps the records commits what it is offered.
    pub fn commit(&mut self) -> Result<(), Error> {
        let (Some(engine), Keep::Host(records)) = (&self.engine, &mut self.keep) else { return Ok(()) };
        while let Some(offer) = engine.offer()? {
            offer.writes.into_iter().for_each(|write| apply(records, write));
            engine.confirm(offer.number)?;
        }
        Ok(())
    }

    /// What came out since it was last asked.
    pub fn drain(&self) -> Vec<(ChannelId, Output)> {
        self.engine.as_ref().map(Manager::drain).unwrap_or_default()
    }
}

fn apply(records: &mut Records, write: Write) {
    match write {
        Write::Manager(value) => drop(records.insert((ChannelId::from(""), Key::HEAD), value)),
        Write::Forget(channel_id) => records.retain(|key, _| key.0 != channel_id),
        Write::Wipe => records.clear(),
        Write::Channel(channel_id, change) => {
            let key = (channel_id, change.key);
            match change.value {
                None => drop(records.remove(&key)),
                Some(Value::Bytes(value)) => drop(records.insert(key, value)),
                Some(Value::Message(message)) => drop(records.insert(key, message.encode())),
            }
        }
    }
}
