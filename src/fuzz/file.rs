//! An SQLite file, or its write-ahead log, that was damaged byte by byte, for the target `store`.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use arbitrary::{Result, Unstructured};

use super::NOW;
use super::store::{Left, config, left_in, use_it};
use crate::error::StoreError;
use crate::manager::Manager;
use crate::store::{Sqlite, Synchronous};
use crate::types::Profile;

static RFC: LazyLock<Whole> = LazyLock::new(|| whole(Profile::Rfc));
static LIBSDS: LazyLock<Whole> = LazyLock::new(|| whole(Profile::Libsds));

/// Files so far, so that none is used twice at a time.
static FILES: AtomicU64 = AtomicU64::new(0);

/// What a manager left, and what others sent.
struct Whole {
    closed: Bytes,
    /// The same later, as a process that was killed leaves it.
    killed: Bytes,
    left: Left,
}

/// What lies in the file, and in its write-ahead log.
#[derive(Clone)]
struct Bytes {
    file: Vec<u8>,
    log: Vec<u8>,
}

impl Bytes {
    fn len(&self) -> usize {
        self.file.len() + self.log.len()
    }

    fn flip(&mut self, at: usize, len: usize, bits: u8) {
        let bytes = self.file.iter_mut().chain(&mut self.log);
        bytes.skip(at).take(len).for_each(|byte| *byte ^= bits);
    }

    /// The log first: it is what is written last.
    fn truncate(&mut self, len: usize) {
        self.log.truncate(len.saturating_sub(self.file.len()));
        self.file.truncate(len);
    }
}

/// A database on disk for as long as it is used.
struct File(PathBuf);

impl File {
    fn new(bytes: &Bytes) -> Self {
        let name = format!("sds-fuzz-{}-{}.db", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let file = Self(std::env::temp_dir().join(name));
        file.remove();
        for (end, bytes) in [("", &bytes.file), ("-wal", &bytes.log)] {
            if !bytes.is_empty() {
                fs::write(file.path(end), bytes).expect("a folder for temporary files");
            }
        }
        file
    }

    /// One of the files that belong to it.
    fn path(&self, end: &str) -> PathBuf {
        let mut name = self.0.clone().into_os_string();
        name.push(end);
        name.into()
    }

    fn bytes(&self) -> Bytes {
        let read = |end| fs::read(self.path(end)).unwrap_or_default();
        Bytes { file: read(""), log: read("-wal") }
    }

    fn open(&self) -> std::result::Result<Sqlite, StoreError> {
        Sqlite::open(&self.0, Synchronous::Off)
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(self.path(end));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

fn whole(profile: Profile) -> Whole {
    let file = File::new(&Bytes { file: Vec::new(), log: Vec::new() });
    let messages = left_in(file.open().expect("a new file"), profile);
    let closed = file.bytes();
    let store = file.open().expect("its file");
    let alice = Manager::open_store(config("alice", profile), store, NOW + 960_000).expect("opens");
    for number in 0..4 {
        let id = format!("later {number}");
        alice.wrap_outgoing("garden", Some(&id), b"more", NOW + 960_000).expect("wraps");
    }
    alice.flush().expect("it works");
    let killed = file.bytes();
    assert!(closed.log.is_empty() && !killed.log.is_empty());
    Whole { closed, killed, left: Left { records: Vec::new(), messages } }
}

/// Up to 12 runs of bytes are changed, of a file that was closed or `killed`. What opens all the same is used, and opened
/// again.
pub(super) fn damaged(input: &mut Unstructured<'_>, profile: Profile, killed: bool) -> Result<()> {
    let whole = if profile == Profile::Rfc { &*RFC } else { &*LIBSDS };
    let mut bytes = if killed { whole.killed.clone() } else { whole.closed.clone() };
    // Of two files, the damage is mostly in the log.
    let from = bytes.file.len() * usize::from(killed);
    for _ in 0..input.int_in_range(0..=12_u8)? {
        let at = (from + input.arbitrary::<u32>()? as usize) % bytes.len();
        let len = input.int_in_range(1..=8_usize)?;
        let bits: u8 = input.arbitrary()?;
        bytes.flip(at, len, bits);
    }
    if input.ratio(1, 16)? {
        bytes.truncate((from + input.arbitrary::<u32>()? as usize) % bytes.len());
    }
    let file = File::new(&bytes);
    for now_ms in [NOW + 960_000, NOW + 960_001] {
        if let Ok(store) = file.open()
            && let Ok(alice) = Manager::open_store(config("alice", profile), store, now_ms)
        {
            use_it(&alice, &whole.left, now_ms, false, || {});
        }
    }
    Ok(())
}
