//! Sums of sizes that limits are held against.

/// The size, in bytes, of what is kept somewhere now.
///
/// What is taken off was added before. Should that ever be wrong, a test stops, and a user has a limit that is a little
/// off, instead of one that is never met again.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally(usize);

impl Tally {
    pub fn bytes(self) -> usize {
        self.0
    }

    /// Something of this size came.
    pub fn add(&mut self, bytes: usize) {
        self.0 = self.0.saturating_add(bytes);
    }

    /// Something of this size left.
    pub fn take_off(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.0, "{bytes} bytes are taken off {}", self.0);
        self.0 = self.0.saturating_sub(bytes);
    }
}
