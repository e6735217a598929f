//! SQLCipher: nothing can be read without the key.

use std::fs;

use sds::Manager;
use sds::error::{Error, StoreError};
use sds::output::ChannelOptions;
use sds::store::{Sqlite, Synchronous};

use crate::contract::{CHANNEL, NOW_MS, config};

#[test]
fn a_file_is_of_use_to_who_has_its_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sds.db");
    assert!(Sqlite::open_encrypted(&path, Synchronous::Full, b"").is_err() && !path.exists(), "no key, no file");
    let open = |key: &[u8]| -> Result<Manager, Error> {
        Manager::open_store(config("alice"), Sqlite::open_encrypted(&path, Synchronous::Full, key)?, NOW_MS)
    };
    let alice = open(b"\x00 any bytes \xff").expect("opens");
    alice.open_channel(CHANNEL, ChannelOptions::default(), NOW_MS).expect("opens");
    alice.wrap_outgoing(CHANNEL, Some("m1"), b"the secret of the garden", NOW_MS).expect("wraps");
    drop(alice);
    for file in fs::read_dir(folder.path()).expect("reads") {
        let bytes = fs::read(file.expect("reads").path()).expect("reads");
        assert!(!bytes.windows(6).any(|window| window == b"secret" || window == b"SQLite"));
    }
    let refused = open(b"another").err();
    assert!(matches!(refused, Some(Error::Store(StoreError::Damaged(_)))), "{refused:?}");
    let refused = open(b"").err();
    assert!(matches!(refused, Some(Error::Store(StoreError::Io(_)))), "{refused:?}");
    assert!(matches!(Sqlite::open(&path, Synchronous::Full), Err(StoreError::Damaged(_))));
    let alice = open(b"\x00 any bytes \xff").expect("opens again");
    assert_eq!(alice.read_log(CHANNEL, None, 10).expect("reads").entries[0].content, &b"the secret of the garden"[..]);
}
