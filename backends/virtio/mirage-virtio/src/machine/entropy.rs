//! Unpredictable bits.

mod device;
mod instruction;

use mirage_random::{EntropyError, EntropySource};

use self::device::EntropyDevice;
use self::instruction::Instruction;
use super::devices::DeviceTransport;
use super::dma::Dma;

/// Entropy of a virtio device and of the processor (RDSEED, else RDRAND), combined so that one that is weak does no harm to the
/// other. One is enough; without both there is none.
///
/// A device is waited for: if the host lets it starve, for good.
pub struct HardwareEntropy {
    device: Option<EntropyDevice<Dma, DeviceTransport>>,
    instruction: Option<Instruction>,
}

impl HardwareEntropy {
    /// The processor's, and that of a device of the type [`EntropySource`](virtio_drivers::transport::DeviceType::EntropySource),
    /// which needs the allocator. A device that does not start is done without.
    pub fn new(device: Option<DeviceTransport>) -> Self {
        Self { device: device.and_then(EntropyDevice::new), instruction: Instruction::find() }
    }
}

impl core::fmt::Debug for HardwareEntropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("HardwareEntropy")
            .field("device", &self.device.is_some())
            .field("instruction", &self.instruction)
            .finish()
    }
}

impl EntropySource for HardwareEntropy {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let by_device = self.device.as_mut().is_some_and(|device| fill_all(bytes, |rest| device.request(rest)));
        if !by_device {
            bytes.fill(0);
        }
        let by_instruction = self.instruction.is_some_and(|instruction| instruction.mix_into(bytes));
        if by_device || by_instruction { Ok(()) } else { Err(EntropyError::Unavailable) }
    }
}

/// Fills `bytes` by pieces as `fill` gives them; `false` when it gives no more.
fn fill_all(mut bytes: &mut [u8], mut fill: impl FnMut(&mut [u8]) -> Option<usize>) -> bool {
    while !bytes.is_empty() {
        let Some(filled @ 1..) = fill(bytes) else { return false };
        let Some(rest) = bytes.get_mut(filled..) else { return false };
        bytes = rest;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processors_entropy_passes_its_exam_where_there_is_some() {
        let mut entropy = HardwareEntropy::new(None);
        if entropy.instruction.is_some() {
            mirage_random::testing::examine_source(&mut entropy);
        }
    }

    #[test]
    fn without_any_source_there_is_none() {
        let mut nothing = HardwareEntropy { device: None, instruction: None };
        assert_eq!(nothing.fill(&mut [0; 8]), Err(EntropyError::Unavailable));
    }

    #[test]
    fn a_device_that_gives_little_is_asked_again_and_one_that_gives_nothing_is_not() {
        let mut bytes = [0; 10];
        let three = |rest: &mut [u8]| {
            let count = rest.len().min(3);
            rest[..count].fill(7);
            Some(count)
        };
        assert!(fill_all(&mut bytes, three));
        assert_eq!(bytes, [7; 10]);
        assert!(!fill_all(&mut bytes, |_| Some(0)));
        assert!(!fill_all(&mut bytes, |_| None));
        assert!(!fill_all(&mut bytes, |rest| Some(rest.len() + 1)), "more than there is room for is a lie");
    }
}
