//! Where a device without a bus is, by the command line.

/// The registers of a device that is found without a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Where its registers begin.
    pub(crate) address: u32,
    /// How many bytes they take.
    pub(crate) bytes: u32,
    /// The input of the interrupt controller that it is wired to.
    pub(crate) interrupt: u8,
}

impl Slot {
    /// Reads `SIZE@ADDRESS:INTERRUPT`, with `:NUMBER` after it or not, as Linux takes it after `virtio_mmio.device=`.
    ///
    /// Numbers are decimal, hexadecimal with `0x` or octal with `0`; the size may end in `K`, `M` or `G`. `None` for anything else
    /// and for what does not lie below 4 GiB.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let (size, place) = text.split_once('@')?;
        let mut place = place.split(':');
        let address = number(place.next()?)?;
        let interrupt = u8::try_from(number(place.next()?)?).ok()?;
        let bytes = size_of(size)?;
        let end = address.checked_add(bytes)?;
        if address == 0 || address % 4 != 0 || end > 1 << 32 {
            return None;
        }
        Some(Self { address: u32::try_from(address).ok()?, bytes: u32::try_from(bytes).ok()?, interrupt })
    }
}

/// A number with a unit.
fn size_of(text: &str) -> Option<u64> {
    let (digits, shift) = match text.as_bytes().last()? {
        b'K' | b'k' => (&text[..text.len() - 1], 10),
        b'M' | b'm' => (&text[..text.len() - 1], 20),
        b'G' | b'g' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    number(digits)?.checked_mul(1 << shift)
}

/// A number as C writes it.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    // `from_str_radix` would take a sign.
    if digits.starts_with('+') { None } else { u64::from_str_radix(digits, radix).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_qemu_and_firecracker_are_understood() {
        assert_eq!(Slot::parse(b"512@0xfeb00e00:12"), Some(Slot { address: 0xfeb0_0e00, bytes: 512, interrupt: 12 }));
        assert_eq!(Slot::parse(b"4K@0xd0000000:5"), Some(Slot { address: 0xd000_0000, bytes: 4096, interrupt: 5 }));
        assert_eq!(Slot::parse(b"1M@3489660928:010:7").map(|slot| slot.interrupt), Some(8));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "@",
            "512",
            "512@",
            "512@0x1000",
            "512@0x1000:",
            "512@0x1000:256",
            "@0x1000:1",
            "K@0x1000:1",
            "é@0x1000:1",
            "512@0x1002:1",
            "512@0:1",
            "512@0xffffff00:1",
            "512@0x100000000:1",
            "99999999999G@0x1000:1",
            "+1@0x1000:1",
        ] {
            assert_eq!(Slot::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Slot::parse(b"\xff@0x1000:1"), None);
    }
}
