//! What is agreed on with a device, and how large everything is.

use mirage_block::Info;
use mirage_virtqueue::{ANY_LAYOUT, EVENT_INDEX, VERSION_1};
use virtio_drivers::transport::Transport;

use crate::Error;
use crate::features::{
    BLK_SIZE, CONFIG_BLK_SIZE, CONFIG_CAPACITY, CONFIG_MAX_DISCARD_SECTORS, CONFIG_SIZE_MAX, DISCARD, FLUSH, RO,
    SIZE_MAX,
};

/// Requests count in these, whatever the device's sectors are.
pub(crate) const UNIT: u32 = 512;

/// What is agreed on with a device, and how large everything is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) features: u64,
    pub(crate) info: Info,
    /// Most bytes of a request: whole sectors, not 0.
    pub(crate) most_bytes: usize,
    /// Most units that one request discards: whole sectors; 0 where the device discards none.
    pub(crate) most_discarded: u32,
}

impl Shape {
    /// Asks the device; requests have at most `bytes` bytes.
    pub(crate) fn of(transport: &impl Transport, offered: u64, bytes: usize) -> Result<Self, Error> {
        let mut features =
            offered & (VERSION_1 | EVENT_INDEX | ANY_LAYOUT | SIZE_MAX | RO | BLK_SIZE | FLUSH | DISCARD);
        let number = |at| transport.read_config_space::<u32>(at).map_err(|_| Error::Refused);
        let units = u64::from(number(CONFIG_CAPACITY)?) | u64::from(number(CONFIG_CAPACITY + 4)?) << 32;
        let sector_size = if features & BLK_SIZE != 0 { number(CONFIG_BLK_SIZE)? } else { UNIT };
        if sector_size < UNIT || !sector_size.is_power_of_two() {
            return Err(Error::SectorSize);
        }
        let in_a_piece = if features & SIZE_MAX != 0 { number(CONFIG_SIZE_MAX)? as usize } else { usize::MAX };
        let sector = sector_size as usize;
        // A longest piece below a sector would have to be read as pieces of a sector: no device has that.
        let most_bytes = bytes.min(in_a_piece) / sector * sector;
        if most_bytes == 0 {
            return Err(Error::SectorSize);
        }
        let per_sector = sector_size / UNIT;
        let mut most_discarded = 0;
        if features & DISCARD != 0 {
            most_discarded = number(CONFIG_MAX_DISCARD_SECTORS)? / per_sector * per_sector;
        }
        if most_discarded == 0 {
            features &= !DISCARD;
        }
        let info = Info { sector_size, sectors: units / u64::from(per_sector), read_only: features & RO != 0 };
        Ok(Self { features, info, most_bytes, most_discarded })
    }
}
