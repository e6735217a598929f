//! What befalls participants, network and store node.

use super::World;
use crate::check::{Violation, bounds};
use crate::member::Presence;
use crate::scenario::{CHANNEL, What};

impl World<'_> {
    /// Everybody comes, but for those who join later.
    pub(super) fn begin(&mut self) -> Result<(), Violation> {
        let joins = |who: u32| self.scenario.incidents.iter().any(|it| it.what == What::Join { who });
        let from_start: Vec<u32> = (0..self.scenario.participants).filter(|who| !joins(*who)).collect();
        from_start.into_iter().try_for_each(|who| self.start(who))
    }

    /// Somebody comes, or comes back: what it still lacks it asks for anew.
    pub(super) fn start(&mut self, who: u32) -> Result<(), Violation> {
        let (scenario, now_ms) = (self.scenario, self.now_ms);
        let started = self.member_mut(who).start(scenario, now_ms);
        self.accept(who, "a start", started)?;
        self.called(who)?;
        self.fetch_missing(who)
    }

    pub(super) fn fetch_missing(&mut self, who: u32) -> Result<(), Violation> {
        if self.store.is_none() {
            return Ok(());
        }
        let missing = self.member(who).engine().map(|engine| engine.missing(CHANNEL));
        let missing = self.accept(who, "a look at what is missing", missing.transpose())?;
        missing.iter().flatten().for_each(|dependency| self.missing(who, dependency));
        Ok(())
    }

    pub(super) fn incident(&mut self, what: What) -> Result<(), Violation> {
        match what {
            What::Split { parts } => self.network.split(parts),
            What::Heal => self.network.split(1),
            What::StoreDown => self.store.iter_mut().for_each(|store| store.up = false),
            What::StoreUp => self.store.iter_mut().for_each(|store| store.up = true),
            What::Turn { who, by_ms } => self.set_skew(who, self.member(who).skew_ms + by_ms),
            What::Leave { who } => self.member_mut(who).leave(),
            What::Crash { who, in_a_call } => {
                let member = self.member_mut(who);
                if in_a_call && member.may_die() {
                    member.dying = member.engine().is_some();
                } else if member.engine().is_some() {
                    member.crash();
                }
            }
            What::Join { who } if self.member(who).presence == Presence::Expected => return self.start(who),
            What::Restart { who } => return self.restart(who),
            What::Offline { who } => return self.set_online(who, false),
            What::Online { who } => return self.set_online(who, true),
            What::Join { .. } => {}
        }
        Ok(())
    }

    /// Sets somebody's clock. What it sent before tells nothing any more of how much it sends.
    pub(super) fn set_skew(&mut self, who: u32, skew_ms: i64) {
        self.member_mut(who).skew_ms = skew_ms;
        self.member_mut(who).tick_ms = None;
        self.sent[who as usize] = bounds::Sent::default();
        self.set_tick(who);
    }

    pub(super) fn restart(&mut self, who: u32) -> Result<(), Violation> {
        self.member_mut(who).dying = false;
        if self.member(who).presence == Presence::Crashed { self.start(who) } else { Ok(()) }
    }

    pub(super) fn set_online(&mut self, who: u32, online: bool) -> Result<(), Violation> {
        let member = self.member(who);
        let Some(engine) = member.engine().filter(|_| member.is_online() != online) else { return Ok(()) };
        let done = engine.set_online(online, member.clock_ms(self.now_ms));
        self.accept(who, "a change of the network", done)?;
        self.member_mut(who).presence = if online { Presence::Online } else { Presence::Offline };
        self.called(who)?;
        if online { self.fetch_missing(who) } else { Ok(()) }
    }
}
