//! An SQLite file that was damaged byte by byte, for the target `store`.

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

static RFC: LazyLock<(Vec<u8>, Left)> = LazyLock::new(|| whole(Profile::Rfc));
static LIBSDS: LazyLock<(Vec<u8>, Left)> = LazyLock::new(|| whole(Profile::Libsds));

/// Files so far, so that none is used twice at a time.
static FILES: AtomicU64 = AtomicU64::new(0);

/// A database on disk for as long as it is used.
struct File(PathBuf);

impl File {
    fn new(bytes: &[u8]) -> Self {
        let name = format!("sds-fuzz-{}-{}.db", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
        let file = Self(std::env::temp_dir().join(name));
        file.remove();
        if !bytes.is_empty() {
            fs::write(&file.0, bytes).expect("a folder for temporary files");
        }
        file
    }

    fn open(&self) -> std::result::Result<Sqlite, StoreError> {
        Sqlite::open(&self.0, Synchronous::Off)
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm", "-journal"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            let _ = fs::remove_file(name);
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

/// The file that a manager left, and what others sent.
fn whole(profile: Profile) -> (Vec<u8>, Left) {
    let file = File::new(&[]);
    let messages = left_in(file.open().expect("a new file"), profile);
    (fs::read(&file.0).expect("its bytes"), Left { records: Vec::new(), messages })
}

/// Up to 12 runs of bytes are changed. What opens all the same is used, and opened again.
pub(super) fn damaged(input: &mut Unstructured<'_>, profile: Profile) -> Result<()> {
    let (whole, left) = if profile == Profile::Rfc { &*RFC } else { &*LIBSDS };
    let mut bytes = whole.clone();
    for _ in 0..input.int_in_range(0..=12_u8)? {
        let at = input.arbitrary::<u32>()? as usize % bytes.len();
        let len = input.int_in_range(1..=8_usize)?;
        let bits: u8 = input.arbitrary()?;
        bytes.iter_mut().skip(at).take(len).for_each(|byte| *byte ^= bits);
    }
    if input.ratio(1, 16)? {
        bytes.truncate(input.arbitrary::<u32>()? as usize % bytes.len());
    }
    let file = File::new(&bytes);
    for now_ms in [NOW + 960_000, NOW + 960_001] {
        if let Ok(store) = file.open()
            && let Ok(alice) = Manager::open_store(config("alice", profile), store, now_ms)
        {
            use_it(&alice, left, now_ms, || {});
        }
    }
    Ok(())
}
