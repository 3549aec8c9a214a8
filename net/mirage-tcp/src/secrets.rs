//! What nobody else may know.

use mirage_secret::Secret;

/// Sixty-four random bytes, fresh at every boot: from them come initial sequence numbers, ports, cookies and the order of
/// the hash table. Whoever knows them can guess connections.
#[derive(Clone)]
pub struct Secrets {
    /// Finds connections, and numbers them.
    pub(crate) ends: Secret,
    pub(crate) ports: Secret,
    pub(crate) cookies: Secret,
    pub(crate) peers: Secret,
}

impl Secrets {
    /// Divides random bytes among those who need them.
    pub fn new(random: [u8; 64]) -> Self {
        let part = |at: usize| Secret::new(core::array::from_fn(|byte| random[at * 16 + byte]));
        Self { ends: part(0), ports: part(1), cookies: part(2), peers: part(3) }
    }
}

impl core::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secrets(..)")
    }
}
