//! A participant's twin gets the same calls, and its host drains only when it must: nothing is lost, and nothing else
//! comes out.

use proptest::prelude::*;
use sds::output::Output;
use sds::{Config, Error};

use crate::common;
use crate::group::Verdict;
use crate::member::{self, Member};

/// Makes all calls of a member once more, with room for few outputs.
pub fn replay(member: &Member) -> Verdict {
    let config = Config { max_outputs: 16, ..member.config.clone() };
    let twin = member::open(&config, member.opened_ms);
    let mut waiting = 0;
    let mut outputs: Vec<Output> = Vec::new();
    let mut expected: Vec<Output> = Vec::new();
    for made in &member.calls {
        let mut answer = made.call.make(&twin, made.now_ms);
        if let Err(Error::OutputsFull(limit)) = answer {
            prop_assert_eq!(limit, 16);
            prop_assert!(waiting >= limit, "refused with {waiting} outputs waiting");
            // The time it took in, whose step back moves all deadlines; more it must not have.
            let before = common::snapshot(&twin);
            prop_assert!(made.call.make(&twin, made.now_ms).is_err());
            prop_assert_eq!(common::snapshot(&twin), before, "changed by a refused call");
            let drained = twin.drain();
            prop_assert_eq!(drained.len(), waiting, "outputs are lost or made up");
            outputs.extend(drained.into_iter().map(|(_, output)| output));
            waiting = 0;
            answer = made.call.make(&twin, made.now_ms);
        }
        prop_assert_eq!(&answer, &made.answer, "{:?}", made.call);
        expected.extend(made.outputs.iter().cloned());
        waiting += made.outputs.len();
    }
    outputs.extend(twin.drain().into_iter().map(|(_, output)| output));
    prop_assert_eq!(outputs, expected);
    Ok(())
}
