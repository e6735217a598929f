//! A configuration from JavaScript: values by the names of [`Config`]'s fields.

use sds::Config;
use sds::types::Profile;
use wasm_bindgen::prelude::*;

use crate::shapes::refused;

/// A number from JavaScript as what a field holds; `None` if it cannot be one.
trait FromNumber: Sized {
    fn from_number(number: f64) -> Option<Self>;
}

macro_rules! whole_numbers {
    ($($kind:ty)*) => {
        $(impl FromNumber for $kind {
            fn from_number(number: f64) -> Option<Self> {
                let fits = number >= 0.0 && number <= <$kind>::MAX as f64 && number.fract() == 0.0;
                fits.then_some(number as $kind)
            }
        })*
    };
}

whole_numbers!(u32 u64 usize);

impl FromNumber for f64 {
    fn from_number(number: f64) -> Option<Self> {
        number.is_finite().then_some(number)
    }
}

impl FromNumber for bool {
    fn from_number(number: f64) -> Option<Self> {
        match number {
            0.0 => Some(false),
            1.0 => Some(true),
            _ => None,
        }
    }
}

/// What an engine is made from.
#[wasm_bindgen]
pub struct Settings(pub(crate) Config);

macro_rules! fields {
    ($($field:ident)*) => {
        /// Sets the field at a place in [`NAMES`]. False: it cannot hold the number.
        fn set(config: &mut Config, place: usize, number: f64) -> bool {
            let setters: &[fn(&mut Config, f64) -> bool] = &[$(|config, number| {
                FromNumber::from_number(number).map(|value| config.$field = value).is_some()
            }),*];
            setters.get(place).is_some_and(|set| set(config, number))
        }

        /// The names of all fields that [`Settings::set`] knows.
        const NAMES: &[&str] = &[$(stringify!($field)),*];
    };
}

fields! {
    auto_open_channels causal_history_size max_clock_drift_rfc_ms max_clock_drift_libsds_ms clock_step_ms log_messages log_bytes
    seen_limit stored_messages stored_ms unload_after_ms max_unconfirmed_bytes bloom_capacity bloom_error_rate ack_window_ms
    refilter_per_minute ack_false_positive max_acknowledgers resend_interval_ms possibly_resend_interval_ms max_resends
    resend_jitter_percent max_unacknowledged max_unacknowledged_bytes dependency_timeout_ms max_waiting_messages
    max_waiting_bytes max_missing sync_interval_ms sync_interval_max_ms sync_confirm_ms sync_in_libsds repair repair_t_min_ms
    repair_t_max_ms num_participants repair_request_size repair_request_interval_ms repair_window_ms max_repair_answers
    repair_answers_per_minute repair_bytes_per_minute max_message_bytes max_id_bytes max_history_entries max_repair_entries
    max_hint_bytes max_filter_bytes max_channels max_outputs max_output_bytes
}

#[wasm_bindgen]
impl Settings {
    /// The defaults, for a participant. `seed`: 64 random bits, from the host.
    #[wasm_bindgen(constructor)]
    pub fn new(participant_id: String, seed: u64) -> Self {
        Self(Config { participant_id, seed: Some(seed), ..Config::default() })
    }

    /// Sets a field of [`Config`] by its name. Whether the values go together is checked when the engine is made.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), JsValue> {
        let place = NAMES.iter().position(|known| *known == name);
        let place = place.ok_or_else(|| refused("INVALID_CONFIG", &format!("config: there is no {name}")))?;
        match set(&mut self.0, place, value) {
            true => Ok(()),
            false => Err(refused("INVALID_CONFIG", &format!("config: {name}: cannot be that"))),
        }
    }

    /// The format that channels write, unless they are opened with another.
    #[wasm_bindgen(js_name = setProfile)]
    pub fn set_profile(&mut self, profile: &str) -> Result<(), JsValue> {
        self.0.profile = profile_named(profile)?;
        Ok(())
    }

    /// The names that [`Settings::set`] knows.
    pub fn names() -> Vec<String> {
        NAMES.iter().map(|name| (*name).to_owned()).collect()
    }
}

/// The profile of that name.
pub fn profile_named(name: &str) -> Result<Profile, JsValue> {
    [Profile::Rfc, Profile::Libsds]
        .into_iter()
        .find(|profile| profile.name() == name)
        .ok_or_else(|| refused("INVALID_ARGUMENT", &format!("no profile is called {name:?}")))
}
