//! A participant: its engine, its clock, whether it is there, and what it told.

use sds::output::{ChannelOptions, ChannelStatus};
use sds::{Config, Manager};
use serde_json::Value;

use crate::call::Made;
use crate::common::{self, CHANNEL};
use crate::facts::Facts;
use crate::history::{History, Plan};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    Offline,
    Frozen,
}

pub struct Member {
    pub name: String,
    pub plan: Plan,
    pub config: Config,
    pub manager: Manager,
    /// Its clock minus the true time.
    pub offset_ms: i64,
    pub away: Option<Away>,
    pub facts: Facts,
    /// Every call so far, to be made once more.
    pub calls: Vec<Made>,
    pub opened_ms: u64,
}

impl Member {
    pub fn new(number: usize, plan: Plan, history: &History, true_ms: u64) -> Self {
        let name = char::from(b'a' + number as u8).to_string();
        let config = plan.config(&name, history);
        let opened_ms = true_ms.saturating_add_signed(plan.skew_ms);
        let mut facts = Facts::new(history.members.len());
        facts.clock.told(opened_ms, true);
        let manager = open(&config, opened_ms);
        Self { name, offset_ms: plan.skew_ms, plan, config, manager, away: None, facts, calls: Vec::new(), opened_ms }
    }

    pub fn now_ms(&self, true_ms: u64) -> u64 {
        true_ms.saturating_add_signed(self.offset_ms)
    }

    pub fn is_frozen(&self) -> bool {
        self.away == Some(Away::Frozen)
    }

    /// When its host will tick, in true time.
    pub fn next_tick_ms(&self, true_ms: u64) -> Option<u64> {
        if self.is_frozen() {
            return None;
        }
        let due_ms = self.manager.next_deadline()?.saturating_add_signed(-self.offset_ms);
        // A deadline that a step of the clock left behind is due now.
        Some((due_ms + self.plan.late_ms).max(true_ms))
    }

    pub fn status(&self) -> ChannelStatus {
        common::status(&self.manager)
    }

    pub fn dump(&self) -> Value {
        common::dump(&self.manager)
    }

    /// Whether none of its limits can be reached.
    pub fn is_roomy(&self) -> bool {
        self.plan.tight.is_none()
    }
}

pub fn open(config: &Config, now_ms: u64) -> Manager {
    let manager = Manager::open(config.clone()).expect("a configuration that passes");
    manager.open_channel(CHANNEL, ChannelOptions::default(), now_ms).expect("a channel");
    manager
}
