//! Who says something when.

use crate::chance::{Chance, Purpose};
use crate::scenario::Speech;

/// One message that will be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saying {
    /// Milliseconds from the start.
    pub at_ms: u64,
    pub who: u32,
    pub bytes: u64,
}

/// All that will be said, in ascending time.
pub fn sayings(speech: &Speech, seed: u64, participants: u32) -> Vec<Saying> {
    match speech {
        Speech::Recorded { lines } => {
            let saying = |&(at_ms, who, bytes): &(u64, u32, u64)| Saying { at_ms, who: who % participants, bytes };
            let mut sayings: Vec<_> = lines.iter().map(saying).collect();
            sayings.sort_by_key(|saying| saying.at_ms);
            sayings
        }
        &Speech::Poisson { messages, mean_ms, cap_ms, speakers, least_bytes, most_bytes } => {
            let mut chance = Chance::new(seed, Purpose::Speech, 0);
            let mut at_ms = 0;
            let speakers = u64::from(speakers.clamp(1, participants));
            let mut saying = || {
                at_ms += chance.exponential_ms(mean_ms).min(cap_ms);
                Saying { at_ms, who: chance.below(speakers) as u32, bytes: chance.between(least_bytes, most_bytes) }
            };
            (0..messages).map(|_| saying()).collect()
        }
    }
}

/// A pattern as it lies in a file: lines of milliseconds, speaker, bytes; `#` begins a comment.
pub fn recorded(text: &str) -> Result<Speech, String> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let wrong = || format!("line {}: not `MILLISECONDS SPEAKER BYTES`: {line}", number + 1);
        let fields: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
        let [at_ms, who, bytes] = fields[..] else { return Err(wrong()) };
        let who = u32::try_from(who).map_err(|_| wrong())?;
        lines.push((at_ms, who, bytes));
    }
    if lines.is_empty() { Err("it holds no line".to_owned()) } else { Ok(Speech::Recorded { lines }) }
}

/// What is said: no two are alike, and each is told apart at sight.
pub fn content(number: u32, bytes: u64) -> Vec<u8> {
    let mut content = format!("saying {number} ").into_bytes();
    let mut chance = Chance::new(0, Purpose::Content, u64::from(number));
    while (content.len() as u64) < bytes {
        content.push(b'a' + chance.below(26) as u8);
    }
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_capped_and_speakers_are_many() {
        let speech = Speech::Poisson {
            messages: 10_000,
            mean_ms: 2_500,
            cap_ms: 5_000,
            speakers: 7,
            least_bytes: 10,
            most_bytes: 20,
        };
        let sayings = sayings(&speech, 1, 100);
        let gaps: Vec<u64> = sayings.windows(2).map(|pair| pair[1].at_ms - pair[0].at_ms).collect();
        assert_eq!(gaps.iter().max(), Some(&5_000));
        let mean_ms = gaps.iter().sum::<u64>() / gaps.len() as u64;
        // 2,500 (1 - e^-2)
        assert!((2_100..2_220).contains(&mean_ms), "{mean_ms}");
        assert!((0..7).all(|who| sayings.iter().any(|saying| saying.who == who)));
        assert!(sayings.iter().all(|saying| saying.who < 7 && (10..=20).contains(&saying.bytes)));
    }

    #[test]
    fn patterns_are_read_or_refused_by_line() {
        let speech = recorded("# made up\n1000 2 80\n\n500 1 10 # first\n").unwrap();
        let sayings = sayings(&speech, 0, 2);
        assert_eq!(sayings[0], Saying { at_ms: 500, who: 1, bytes: 10 });
        assert_eq!(sayings[1], Saying { at_ms: 1_000, who: 0, bytes: 80 });
        assert!(recorded("1 2 3\n1 2").unwrap_err().contains("line 2"));
        assert!(recorded("1 2 many").is_err() && recorded("").is_err() && recorded("1 99999999999 1").is_err());
    }

    #[test]
    fn contents_differ_and_have_their_size() {
        assert_eq!(content(7, 200).len(), 200);
        assert_ne!(content(7, 200), content(8, 200));
    }
}
