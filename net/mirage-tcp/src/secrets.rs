//! What nobody else may know.

/// Sixty-four random bytes, fresh at every boot: from them come initial sequence numbers, ports, cookies and the order of
/// the hash table. Whoever knows them can guess connections.
#[derive(Clone)]
pub struct Secrets {
    pub(crate) isn: [u8; 16],
    pub(crate) ports: [u8; 16],
    pub(crate) cookies: [u8; 16],
    pub(crate) demux: [u8; 16],
}

impl Secrets {
    /// Divides random bytes among those who need them.
    pub fn new(random: [u8; 64]) -> Self {
        let part = |at: usize| {
            let mut part = [0; 16];
            for (to, from) in part.iter_mut().zip(random.iter().skip(at)) {
                *to = *from;
            }
            part
        };
        Self { isn: part(0), ports: part(16), cookies: part(32), demux: part(48) }
    }
}

impl core::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secrets(..)")
    }
}
