//! An image for virtual machines that unpacks itself where it runs, as the kernels of other systems do.
//!
//! A loader puts it behind the place of the image; it unpacks that to its place and goes on there, in a millisecond or two. Its
//! own memory is free then. Solo5's tenders run no image that makes code of data, so images for them are never packed.

mod stream;
mod stub;

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use self::stub::{Places, stub};
use super::NotAnImage;
use super::facts;

/// `image`, which is stripped, in the form that unpacks itself; as it is, where that is not worth it or cannot be: a small one, or
/// one that loaders enter by multiboot, for which file and memory must agree.
///
/// # Errors
/// It is no image for virtual machines.
pub(crate) fn pack(image: Vec<u8>) -> Result<Vec<u8>, NotAnImage> {
    if image.len() < WORTH_IT {
        return Ok(image);
    }
    let (segments, notes) = parts(&image)?;
    let multiboot = image.windows(4).take(MULTIBOOT_WITHIN).step_by(4).any(|word| word == MULTIBOOT);
    let Some(memory) = Memory::of(&image, &segments).filter(|_| !multiboot) else { return Ok(image) };
    let entry = facts::pvh_entry(&notes).ok_or(NotAnImage("it does not say where virtual machines enter it"))?;
    let packed = memory.packed(&notes, entry).ok_or(NotAnImage("it lies beyond the first 4 GiB"))?;
    Ok(if packed.len() < image.len() { packed } else { image })
}

/// Images below this many bytes stay as they are: they shall begin at once.
const WORTH_IT: usize = 64 * 1_024;
/// Where multiboot's magic number is looked for, and what it is.
const MULTIBOOT_WITHIN: usize = 8_192;
const MULTIBOOT: [u8; 4] = 0x1bad_b002_u32.to_le_bytes();
/// What the stub needs of a stack: the addresses of two calls and of a place.
const STACK: u32 = 16;

/// What is to be loaded: address, place in the file, bytes in memory, whether it is code.
struct Segment {
    address: u64,
    file: std::ops::Range<usize>,
    len: u64,
    is_code: bool,
}

/// The segments of `image`, and its notes one behind the other.
fn parts(image: &[u8]) -> Result<(Vec<Segment>, Vec<u8>), NotAnImage> {
    let header = FileHeader64::<LE>::parse(image).map_err(|_| NotAnImage("it is no ELF file of 64 bits"))?;
    let headers = header.program_headers(LE, image).map_err(|_| NotAnImage("its program headers lie outside of it"))?;
    let (mut segments, mut notes) = (Vec::new(), Vec::new());
    for header in headers {
        let outside = NotAnImage("a segment lies outside of it");
        let bytes = header.data(LE, image).map_err(|()| outside)?;
        match header.p_type(LE) {
            elf::PT_LOAD => {
                let start = usize::try_from(header.p_offset(LE)).map_err(|_| outside)?;
                let (address, len) = (header.p_paddr(LE), header.p_memsz(LE));
                let is_code = header.p_flags(LE).contains(elf::PF_X);
                segments.push(Segment { address, file: start..start + bytes.len(), len, is_code });
            }
            elf::PT_NOTE => notes.extend_from_slice(bytes),
            _ => {}
        }
    }
    Ok((segments, notes))
}

/// The memory of an image as its loader would leave it, but for what begins as zero.
struct Memory {
    start: u32,
    bytes: Vec<u8>,
    /// How many of them are code, at the start.
    code: usize,
    /// The first address behind everything.
    end: u32,
}

impl Memory {
    /// `None` where it does not lie in one piece of the first 4 GiB.
    fn of(image: &[u8], segments: &[Segment]) -> Option<Self> {
        let start = segments.iter().map(|segment| segment.address).min()?;
        let ends = segments.iter().map(|segment| segment.address.checked_add(segment.len));
        let end = ends.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        let mut memory = Self { start: start.try_into().ok()?, bytes: Vec::new(), code: 0, end: end.try_into().ok()? };
        for segment in segments {
            let at = usize::try_from(segment.address - start).ok()?;
            let bytes = &image[segment.file.clone()];
            let len = memory.bytes.len().max(at + bytes.len());
            memory.bytes.resize(len.min(LONGEST), 0);
            memory.bytes.get_mut(at..at + bytes.len())?.copy_from_slice(bytes);
            if segment.is_code && at == 0 {
                memory.code = bytes.len();
            }
        }
        Some(memory)
    }

    /// A file that unpacks to this memory and enters it at `entry`. `None` where that lies beyond the first 4 GiB.
    fn packed(mut self, notes: &[u8], entry: u32) -> Option<Vec<u8>> {
        let code_end = self.code.saturating_sub(4);
        calls(&mut self.bytes[..self.code], self.start);
        let stream = stream::pack(&self.bytes);
        let headers = size_of::<FileHeader64<LE>>() + 2 * size_of::<elf::ProgramHeader64<LE>>();
        let stub_at = headers + notes.len();
        // All of the file is loaded, its header at the first page behind the image.
        let base = self.end.checked_next_multiple_of(0x1000)?;
        let address = |offset: usize| u32::try_from(offset).ok()?.checked_add(base);
        let len = stub_at + stub::LEN + stream.len();
        let places = Places {
            stack: address(len)?.checked_add(2 * STACK)? & !(STACK - 1),
            packed: address(stub_at + stub::LEN)?,
            start: self.start,
            end: self.start.checked_add(self.bytes.len().try_into().ok()?)?,
            code_end: self.start.checked_add(code_end.try_into().ok()?)?,
            entry,
        };
        let stub_address = address(stub_at)?;
        let mut file = vec![0; headers];
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        // ELF, 64 bits, little endian; executable, x86-64; entry; headers.
        put(0, b"\x7fELF\x02\x01\x01");
        for (at, value) in [(16, 2), (18, 62), (20, 1), (52, 64), (54, 56), (56, 2_u16)] {
            put(at, &value.to_le_bytes());
        }
        put(24, &u64::from(stub_address).to_le_bytes());
        put(32, &64_u64.to_le_bytes());
        let segment = |kind: u32, flags: u32, offset: usize, len: usize, in_memory: usize, align: u64| {
            let address = u64::from(base) + offset as u64;
            let numbers = [offset as u64, address, address, len as u64, in_memory as u64, align];
            let words = [kind, flags].into_iter().flat_map(u32::to_le_bytes);
            words.chain(numbers.into_iter().flat_map(u64::to_le_bytes)).collect::<Vec<u8>>()
        };
        // Read, written, executed: the stub and its stack.
        put(64, &segment(1, 7, 0, len, len + 2 * STACK as usize, 0x1000));
        put(120, &segment(4, 4, headers, notes.len(), notes.len(), 4));
        file.extend_from_slice(notes);
        facts::set_pvh_entry(&mut file[headers..], stub_address)?;
        file.extend(stub(&places));
        debug_assert_eq!(file.len(), stub_at + stub::LEN, "the stub is as long as it says");
        file.extend(stream);
        Some(file)
    }
}

/// Most bytes that are unpacked.
const LONGEST: usize = 64 << 20;

/// Writes where calls lead, big-endian, in place of how far: two calls of one function are the same bytes then. What only looks
/// like a call is changed as well, and changed back.
fn calls(code: &mut [u8], start: u32) {
    let mut at = 0;
    while at + 4 < code.len() {
        at += 1;
        if code[at - 1] == 0xe8
            && let Some(place) = code[at..].first_chunk_mut()
        {
            let distance = u32::from_le_bytes(*place);
            *place = distance.wrapping_add(start.wrapping_add(at as u32)).to_be_bytes();
            at += 4;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stub_is_as_long_as_it_says() {
        let places = Places { stack: 0, packed: 0, start: 0, end: 0, code_end: 0, entry: 0 };
        assert_eq!(stub(&places).len(), stub::LEN);
    }

    #[test]
    fn calls_of_one_function_become_the_same_bytes() {
        let mut code = [[0xe8, 0x10, 0, 0, 0, 0x90], [0xe8, 0x0a, 0, 0, 0, 0x90]].concat();
        calls(&mut code, 0x10_0000);
        assert_eq!(code, [[0xe8, 0, 0x10, 0, 0x11, 0x90]; 2].concat());
    }

    #[test]
    fn what_is_small_or_entered_by_multiboot_stays_as_it_is() {
        let small = vec![1; WORTH_IT - 1];
        assert_eq!(pack(small.clone()), Ok(small));
        assert!(pack(vec![1; WORTH_IT]).is_err(), "it is no ELF file");
    }
}
