//! Target `ffi` of the fuzzers: sequences of C calls as a careless host in C might make them, with any handles, lengths,
//! texts and sizes that the contract allows. See `crate::fuzz`.

mod args;
mod calls;
mod durable;
mod hostile;
mod messages;
mod world;

use arbitrary::{Result, Unstructured};

use crate::config::Config;
use world::World;

/// Longer inputs say nothing that shorter ones cannot.
const MOST_CALLS: usize = 300;

/// The input: calls, each a number and its arguments. `config`: what managers are made from, unless a call changes it.
pub(crate) fn run(config: &Config, bytes: &[u8]) {
    let mut input = Unstructured::new(bytes);
    let mut world = World::new(config);
    // Too few bytes for another call are the end.
    let _ = play(&mut world, &mut input);
    world.end();
}

fn play(world: &mut World, input: &mut Unstructured<'_>) -> Result<()> {
    for _ in 0..MOST_CALLS {
        if input.is_empty() {
            break;
        }
        calls::call(world, input)?;
    }
    Ok(())
}
