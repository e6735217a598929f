//! The engine for JavaScript, through wasm-bindgen. The package's TypeScript (`ts/`) is what people use; this is what it uses.
//!
//! One [`Engine`] is a [`Manager`]: one participant in any number of channels, in memory or with state that the host keeps.
//! There is no thread, no clock and no randomness in here: each call brings the time, and [`Settings`] the seed.
//!
//! Errors are thrown as `SdsError` with a `code`, and then nothing changed.

mod settings;
mod shapes;
mod status;

use sds::manager::Known;
use sds::output::ChannelOptions;
use sds::record::Key;
use sds::types::{ChannelId, TimeMs};
use sds::{Error, Manager};
use wasm_bindgen::prelude::*;

pub use settings::Settings;
use settings::profile_named;
use shapes::{refused, thrown};

/// Decodes bytes of either profile, without touching any state.
#[wasm_bindgen]
pub fn inspect(bytes: &[u8]) -> Result<JsValue, JsValue> {
    shapes::inspect(bytes)
}

/// A time from JavaScript, whose numbers may be anything: what is no time becomes one that the engine refuses.
fn time(now_ms: f64) -> TimeMs {
    if now_ms >= 0.0 { now_ms as TimeMs } else { TimeMs::MAX }
}

/// The records that a host kept, to open an engine on.
#[wasm_bindgen]
#[derive(Default)]
pub struct Records(Vec<(ChannelId, Key, Vec<u8>)>);

#[wasm_bindgen]
impl Records {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one, in any order.
    pub fn add(&mut self, channel_id: &str, key: &[u8], value: Vec<u8>) -> Result<(), JsValue> {
        let key = Key::from_bytes(key).map_err(|damaged| refused("STORE_UNUSABLE", damaged.0))?;
        self.0.push((channel_id.into(), key, value));
        Ok(())
    }
}

/// One participant in any number of channels.
#[wasm_bindgen]
pub struct Engine(Manager);

#[wasm_bindgen]
impl Engine {
    /// One whose state is in memory only.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: Settings) -> Result<Self, JsValue> {
        Manager::open(settings.0).map(Self).map_err(thrown)
    }

    /// One whose state the host keeps. `records`: all that it was given to write and has not been told to delete.
    pub fn restored(settings: Settings, records: Records, now_ms: f64) -> Result<Self, JsValue> {
        Manager::open_external(settings.0, records.0, time(now_ms)).map(Self).map_err(thrown)
    }

    /// Opens a channel, or opens it again.
    #[wasm_bindgen(js_name = openChannel)]
    pub fn open_channel(
        &self,
        channel_id: &str,
        profile: Option<String>,
        from_now: bool,
        derived_ids: bool,
        now_ms: f64,
    ) -> Result<(), JsValue> {
        let profile = profile.as_deref().map(profile_named).transpose()?;
        let options = ChannelOptions { profile, from_now, derived_ids };
        self.0.open_channel(channel_id, options, time(now_ms)).map_err(thrown)
    }

    /// Forgets a channel, and all that the host keeps of it.
    #[wasm_bindgen(js_name = forgetChannel)]
    pub fn forget_channel(&self, channel_id: &str) -> Result<(), JsValue> {
        self.0.forget_channel(channel_id).map_err(thrown)
    }

    /// Makes a message ready to be broadcast. Its bytes are empty, and come as an output, while the host has to store first.
    pub fn wrap(
        &self,
        channel_id: &str,
        message_id: Option<String>,
        content: &[u8],
        now_ms: f64,
    ) -> Result<JsValue, JsValue> {
        let wrapped = self.0.wrap_outgoing(channel_id, message_id.as_deref(), content, time(now_ms));
        wrapped.map(|wrapped| shapes::from_wrapped(&wrapped)).map_err(thrown)
    }

    /// Makes a message that is delivered at once and leaves no trace.
    #[wasm_bindgen(js_name = wrapEphemeral)]
    pub fn wrap_ephemeral(&self, channel_id: &str, content: &[u8], now_ms: f64) -> Result<JsValue, JsValue> {
        let wrapped = self.0.wrap_ephemeral(channel_id, None, content, time(now_ms));
        wrapped.map(|wrapped| shapes::from_wrapped(&wrapped)).map_err(thrown)
    }

    /// Takes in bytes from the network. Where the host keeps the state, what is delivered comes as an output, in its order.
    pub fn receive(&self, bytes: &[u8], now_ms: f64) -> Result<JsValue, JsValue> {
        let received = self.0.unwrap_incoming_held(bytes, time(now_ms));
        received.map(|received| shapes::from_unwrapped(&received)).map_err(thrown)
    }

    /// Tells that messages are here by other means.
    #[wasm_bindgen(js_name = markDependenciesMet)]
    pub fn mark_dependencies_met(&self, channel_id: &str, ids: Vec<String>, now_ms: f64) -> Result<(), JsValue> {
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.0.mark_dependencies_met(channel_id, &ids, time(now_ms)).map_err(thrown)
    }

    /// Sets what others need to fetch a message.
    #[wasm_bindgen(js_name = setRetrievalHint)]
    pub fn set_retrieval_hint(&self, channel_id: &str, message_id: &str, hint: &[u8]) -> Result<(), JsValue> {
        self.0.set_retrieval_hint(channel_id, message_id, hint).map_err(thrown)
    }

    /// What the next message will name.
    #[wasm_bindgen(js_name = nextHistory)]
    pub fn next_history(&self, channel_id: &str) -> Result<Vec<JsValue>, JsValue> {
        let history = self.0.next_history(channel_id).map_err(thrown)?;
        Ok(history.iter().map(shapes::from_dependency).collect())
    }

    /// What is missing now.
    pub fn missing(&self, channel_id: &str) -> Result<Vec<JsValue>, JsValue> {
        let missing = self.0.missing(channel_id).map_err(thrown)?;
        Ok(missing.iter().map(shapes::from_dependency).collect())
    }

    /// Our messages that nobody is known to have.
    pub fn outgoing(&self, channel_id: &str) -> Result<Vec<JsValue>, JsValue> {
        let outgoing = self.0.outgoing(channel_id).map_err(thrown)?;
        Ok(outgoing.iter().map(|(message_id, state)| shapes::from_own(message_id, *state)).collect())
    }

    /// How far a message of ours got; undefined if it is none, or no longer held.
    #[wasm_bindgen(js_name = messageStatus)]
    pub fn message_status(&self, channel_id: &str, message_id: &str) -> Result<JsValue, JsValue> {
        match self.0.message_status(channel_id, message_id) {
            Ok(status) => Ok(shapes::from_status(&status)),
            Err(Error::UnknownMessage(_)) => Ok(JsValue::UNDEFINED),
            Err(error) => Err(thrown(error)),
        }
    }

    /// Sends a message of ours again, now, and counts its resends anew.
    pub fn retry(&self, channel_id: &str, message_id: &str, now_ms: f64) -> Result<(), JsValue> {
        self.0.retry(channel_id, message_id, time(now_ms)).map_err(thrown)
    }

    /// Stops resending a message of ours.
    pub fn cancel(&self, channel_id: &str, message_id: &str, now_ms: f64) -> Result<(), JsValue> {
        self.0.cancel(channel_id, message_id, time(now_ms)).map_err(thrown)
    }

    /// Tells whether the network is reachable.
    #[wasm_bindgen(js_name = setOnline)]
    pub fn set_online(&self, online: bool, now_ms: f64) -> Result<(), JsValue> {
        self.0.set_online(online, time(now_ms)).map_err(thrown)
    }

    /// The counts of a channel.
    pub fn status(&self, channel_id: &str) -> Result<JsValue, JsValue> {
        self.0.channel_status(channel_id).map(|it| status::from_channel_status(&it)).map_err(thrown)
    }

    /// Tells a channel what was here before it: of each message its id, sender and timestamp. How many were new.
    #[wasm_bindgen(js_name = seedHistory)]
    pub fn seed_history(
        &self,
        channel_id: &str,
        message_ids: Vec<String>,
        sender_ids: Vec<String>,
        lamport_timestamps: Vec<u64>,
        now_ms: f64,
    ) -> Result<u32, JsValue> {
        let named = message_ids.iter().zip(&sender_ids).zip(lamport_timestamps);
        let known = named.map(|((message_id, sender_id), lamport_timestamp_ms)| Known {
            message_id,
            sender_id,
            lamport_timestamp_ms,
            retrieval_hint: None,
        });
        let known: Vec<_> = known.collect();
        self.0.seed_history(channel_id, &known, time(now_ms)).map(|new| new as u32).map_err(thrown)
    }

    /// Does what is due.
    pub fn tick(&self, now_ms: f64) -> Result<(), JsValue> {
        self.0.tick(time(now_ms)).map_err(thrown)
    }

    /// When the next tick is due, in milliseconds since the Unix epoch.
    #[wasm_bindgen(js_name = nextDeadline)]
    pub fn next_deadline(&self) -> Option<f64> {
        self.0.next_deadline().map(|due_ms| due_ms as f64)
    }

    /// All outputs that wait, oldest first.
    pub fn drain(&self) -> Vec<JsValue> {
        self.0.drain().iter().map(|(_, output)| shapes::from_output(output)).collect()
    }

    /// What the host has to store; undefined if nothing waits.
    pub fn offer(&self) -> Result<JsValue, JsValue> {
        let offer = self.0.offer().map_err(thrown)?;
        Ok(offer.as_ref().map_or(JsValue::UNDEFINED, shapes::from_offer))
    }

    /// The host has stored the offer of that number.
    pub fn confirm(&self, number: f64) -> Result<bool, JsValue> {
        self.0.confirm(number as u64).map_err(thrown)
    }

    /// Offers what is not stored yet, before the engine is let go.
    pub fn flush(&self) -> Result<(), JsValue> {
        self.0.flush().map_err(thrown)
    }

    /// A message of the log, from what the host stored of it.
    #[wasm_bindgen(js_name = readLogRecord)]
    pub fn read_log_record(&self, key: &[u8], value: &[u8], side: Option<Vec<u8>>) -> Result<JsValue, JsValue> {
        let key = Key::from_bytes(key).map_err(|damaged| refused("STORE_UNUSABLE", damaged.0))?;
        let number = u64::try_from(key.id).map_err(|_| refused("STORE_UNUSABLE", "a message without a number"))?;
        let entry = self.0.read_log_record(number, value, side.as_deref()).map_err(thrown)?;
        Ok(shapes::from_log_entry(&entry))
    }
}
