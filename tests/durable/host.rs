//! A host that keeps the state in a database of its own: here a map.

use std::collections::BTreeMap;

use sds::Manager;
use sds::record::{Key, Kind, Value};
use sds::store::Write;
use sds::types::ChannelId;

#[derive(Clone, Debug, Default)]
pub struct Host {
    pub rows: BTreeMap<(ChannelId, Key), Vec<u8>>,
}

impl Host {
    pub fn records(&self) -> Vec<(ChannelId, Key, Vec<u8>)> {
        self.rows.iter().map(|((channel_id, key), value)| (channel_id.clone(), *key, value.clone())).collect()
    }

    /// Takes every offer, commits it and confirms it.
    pub fn commit_all(&mut self, manager: &Manager) {
        while let Some(offer) = manager.offer().expect("a host's manager") {
            self.commit(&offer.writes);
            assert!(manager.confirm(offer.number).expect("a host's manager"));
        }
    }

    /// A message whose key is not there already is new, and comes after all that are.
    fn is_there_or_last(&self, place: &(ChannelId, Key)) -> bool {
        let (channel_id, key) = place;
        let after = Key { id: u128::MAX, ..*key };
        key.kind != Kind::Message
            || self.rows.contains_key(place)
            || self.rows.range(place..=&(channel_id.clone(), after)).next().is_none()
    }

    pub fn commit(&mut self, writes: &[Write]) {
        for write in writes {
            match write {
                Write::Manager(record) => drop(self.rows.insert((ChannelId::from(""), Key::HEAD), record.clone())),
                Write::Forget(channel_id) => self.rows.retain(|(other, _), _| other != channel_id),
                Write::Wipe => self.rows.clear(),
                Write::Channel(channel_id, change) => {
                    let place = (channel_id.clone(), change.key);
                    assert!(self.is_there_or_last(&place), "a message between others: {place:?}");
                    match &change.value {
                        None => drop(self.rows.remove(&place)),
                        Some(Value::Bytes(value)) => drop(self.rows.insert(place, value.clone())),
                        Some(Value::Message(message)) => drop(self.rows.insert(place, message.encode())),
                    }
                }
            }
        }
    }
}
