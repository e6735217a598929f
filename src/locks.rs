//! The locks that the library uses: `parking_lot`'s. In WebAssembly, where there is one thread and nobody to wait for, those
//! of the standard library, which are next to nothing there.

#[cfg(not(target_family = "wasm"))]
pub use parking_lot::{Mutex, MutexGuard, RwLock};

#[cfg(target_family = "wasm")]
pub use alone::{Mutex, MutexGuard, RwLock};

#[cfg(target_family = "wasm")]
mod alone {
    use std::sync::{self, PoisonError, RwLockReadGuard, RwLockWriteGuard, TryLockError};

    pub use std::sync::MutexGuard;

    /// As `parking_lot`'s. A panic ends the instance, so that no lock is ever poisoned.
    #[derive(Debug, Default)]
    pub struct Mutex<T>(sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub const fn new(value: T) -> Self {
            Self(sync::Mutex::new(value))
        }

        pub fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
            match self.0.try_lock() {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        }
    }

    /// As `parking_lot`'s.
    #[derive(Debug, Default)]
    pub struct RwLock<T>(sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub fn read(&self) -> RwLockReadGuard<'_, T> {
            self.0.read().unwrap_or_else(PoisonError::into_inner)
        }

        pub fn write(&self) -> RwLockWriteGuard<'_, T> {
            self.0.write().unwrap_or_else(PoisonError::into_inner)
        }
    }
}
