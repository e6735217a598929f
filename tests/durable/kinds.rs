//! The three ways to keep state, behind one face for the tests.

use std::path::PathBuf;

use sds::Manager;
use sds::config::Config;
use sds::error::Error;
use sds::output::Output;
use sds::store::{Memory, Sqlite, Synchronous};
use sds::types::{ChannelId, TimeMs};
use tempfile::TempDir;

use crate::host::Host;

/// Where a manager's state lies while the manager is not there.
pub enum Kind {
    Memory(Memory),
    Sqlite(TempDir),
    Host(Host),
}

impl Kind {
    pub fn all() -> [Self; 3] {
        [Self::Memory(Memory::default()), Self::sqlite(), Self::Host(Host::default())]
    }

    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a folder"))
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Sqlite(_) => "sqlite",
            Self::Host(_) => "host",
        }
    }

    pub fn path(folder: &TempDir) -> PathBuf {
        folder.path().join("sds.db")
    }

    pub fn open(&self, config: &Config, now_ms: TimeMs) -> Result<Manager, Error> {
        let config = config.clone();
        match self {
            Self::Memory(memory) => Manager::open_store(config, memory.clone(), now_ms),
            Self::Sqlite(folder) => {
                Manager::open_store(config, Sqlite::open(Self::path(folder), Synchronous::Off)?, now_ms)
            }
            Self::Host(host) => Manager::open_external(config, host.records(), now_ms),
        }
    }

    /// Commits what a host has to commit, and hands out what came of it.
    pub fn drain(&mut self, manager: &Manager) -> Vec<(ChannelId, Output)> {
        if let Self::Host(host) = self {
            host.commit_all(manager);
        }
        manager.drain()
    }

    /// Stops the manager in good order.
    pub fn stop(&mut self, manager: Manager) {
        manager.flush().expect("the store works");
        self.drain(&manager);
    }
}
