//! What an image says about itself, in its ELF notes: to a Solo5 tender, and to this tool.

mod manifest;
mod note;

use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::NotAnImage;
use crate::arguments::Forward;
use crate::target::Target;

/// What an image says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What boots it; `None` if it does not say, as processes do not.
    pub(crate) target: Option<Target>,
    /// The application's name.
    pub(crate) name: Option<String>,
    /// Its version.
    pub(crate) version: Option<String>,
    /// The devices without which it does not start, in its order.
    pub(crate) devices: Vec<Device>,
    /// Where this machine should offer its services if nothing else is said.
    pub(crate) forwards: Vec<Forward>,
}

/// A device that an image declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// 1 to 67 letters and digits.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A network device.
    Net,
    /// A disk.
    Block,
}

impl Facts {
    /// Reads the notes of `file`.
    ///
    /// # Errors
    /// It is no ELF file of 64 bits, or a note is not what it should be. Notes of others are left alone.
    pub(crate) fn of(file: &[u8]) -> Result<Self, NotAnImage> {
        let header = FileHeader64::<LE>::parse(file).map_err(|_| NotAnImage("it is no ELF file of 64 bits"))?;
        if !header.is_class_64() || !header.is_little_endian() {
            return Err(NotAnImage("it is not for x86-64 or aarch64"));
        }
        let headers =
            header.program_headers(LE, file).map_err(|_| NotAnImage("its program headers lie outside of it"))?;
        let mut facts = Self::default();
        let mut devices = None;
        for header in headers.iter().filter(|header| header.p_type(LE) == elf::PT_NOTE) {
            let notes = header.data(LE, file).map_err(|()| NotAnImage("its notes lie outside of it"))?;
            for note in note::notes(notes) {
                match (note.name, note.kind) {
                    (b"Solo5", ABI) => facts.target = target(note.text),
                    (b"Solo5", MANIFEST) => devices = Some(manifest::devices(note.text)?),
                    (b"Xen", PHYS32_ENTRY) => facts.target = Some(Target::Virtio),
                    (b"Mirage", 1) => facts.read(note.text)?,
                    _ => {}
                }
            }
        }
        // What a tender insists on is the truth.
        facts.devices = devices.unwrap_or(facts.devices);
        Ok(facts)
    }

    /// Takes over the lines of the note `Mirage`.
    fn read(&mut self, text: &[u8]) -> Result<(), NotAnImage> {
        let text = std::str::from_utf8(text).map_err(|_| NotAnImage("its description is not UTF-8"))?;
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let device = |kind| Device { name: value.to_owned(), kind };
            match key {
                "name" => self.name = Some(value.to_owned()),
                "version" => self.version = Some(value.to_owned()),
                "net" => self.devices.push(device(Kind::Net)),
                "block" => self.devices.push(device(Kind::Block)),
                "forward" => {
                    let forward = value.parse().map_err(|_| NotAnImage("its description has a wrong forward"))?;
                    self.forwards.push(forward);
                }
                // Of a later version.
                _ => {}
            }
        }
        Ok(())
    }
}

/// The tender that Solo5's ABI note asks for.
fn target(text: &[u8]) -> Option<Target> {
    match u32::from_le_bytes(*text.first_chunk()?) {
        1 => Some(Target::Hvt),
        2 => Some(Target::Spt),
        3 => Some(Target::Virtio),
        _ => None,
    }
}

/// Where a virtual machine begins, by `notes`.
pub(super) fn pvh_entry(notes: &[u8]) -> Option<u32> {
    let note = note::notes(notes).find(|note| note.name == b"Xen" && note.kind == PHYS32_ENTRY)?;
    Some(u32::from_le_bytes(*note.text.first_chunk()?))
}

/// Changes that.
pub(super) fn set_pvh_entry(notes: &mut [u8], entry: u32) -> Option<()> {
    let note = note::notes(notes).find(|note| note.name == b"Xen" && note.kind == PHYS32_ENTRY)?;
    let at = note.text.as_ptr().addr() - notes.as_ptr().addr();
    *notes.get_mut(at..)?.first_chunk_mut()? = entry.to_le_bytes();
    Some(())
}

/// Solo5: `ABI1`, which tender and which version.
const ABI: u32 = u32::from_le_bytes(*b"ABI1");
/// Solo5: `MFT1`, the devices.
const MANIFEST: u32 = u32::from_le_bytes(*b"MFT1");
/// Xen: where a virtual machine begins, in protected mode.
const PHYS32_ENTRY: u32 = 18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::image::strip;

    /// An ELF file whose notes are `notes`, each with a program header of its own.
    fn image(notes: &[Vec<u8>]) -> Vec<u8> {
        let mut file = vec![0; 64 + 56 * notes.len()];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        file[16] = 2;
        file[18] = 62;
        file[20] = 1;
        file[32] = 64;
        file[52] = 64;
        file[54] = 56;
        file[56] = notes.len() as u8;
        for (index, note) in notes.iter().enumerate() {
            let offset = file.len() as u64;
            let header = &mut file[64 + 56 * index..];
            header[0] = 4;
            header[8..16].copy_from_slice(&offset.to_le_bytes());
            header[32..40].copy_from_slice(&(note.len() as u64).to_le_bytes());
            file.extend_from_slice(note);
        }
        file
    }

    fn note(name: &[u8], kind: u32, text: &[u8]) -> Vec<u8> {
        let mut note = Vec::new();
        for number in [name.len() as u32 + 1, text.len() as u32, kind] {
            note.extend_from_slice(&number.to_le_bytes());
        }
        for bytes in [&[name, b"\0"].concat(), text] {
            note.extend_from_slice(bytes);
            note.resize(note.len().next_multiple_of(4), 0);
        }
        note
    }

    fn manifest() -> Vec<u8> {
        let mut text = vec![0; 4 + 8 + 2 * 104];
        text[4] = 1;
        text[8] = 2;
        text[12 + 71] = 0x40;
        text[12 + 104..][..4].copy_from_slice(b"data");
        text[12 + 104 + 68] = 1;
        text
    }

    #[test]
    fn notes_tell_target_devices_and_forwards() {
        let ours = b"name=web\nversion=0.1.0\nnet=service\nblock=data\nforward=8080:80\nlater=x\n";
        let device = |name: &str, kind| Device { name: name.into(), kind };
        let facts = Facts::of(&image(&[note(b"Xen", 18, &[0; 4]), note(b"Mirage", 1, ours)])).expect("facts");
        assert_eq!(facts.target, Some(Target::Virtio));
        assert_eq!((facts.name.as_deref(), facts.version.as_deref()), (Some("web"), Some("0.1.0")));
        assert_eq!(facts.devices, [device("service", Kind::Net), device("data", Kind::Block)]);
        assert_eq!(facts.forwards.iter().map(Forward::to_string).collect::<Vec<_>>(), ["8080:80"]);

        let abi = [[2, 0, 0, 0], [2, 0, 0, 0], [0; 4], [0; 4]].concat();
        let notes = [note(b"Solo5", ABI, &abi), note(b"Solo5", MANIFEST, &manifest()), note(b"Mirage", 1, ours)];
        let facts = Facts::of(&image(&notes)).expect("facts");
        assert_eq!((facts.target, facts.devices), (Some(Target::Spt), vec![device("data", Kind::Block)]));
    }

    #[test]
    fn where_a_virtual_machine_begins_can_be_changed() {
        let mut notes = [note(b"Mirage", 1, b"name=x\n"), note(b"Xen", 18, &[1, 2, 3, 4])].concat();
        assert_eq!(pvh_entry(&notes), Some(0x0403_0201));
        assert_eq!(set_pvh_entry(&mut notes, 7), Some(()));
        assert_eq!(pvh_entry(&notes), Some(7));
        assert_eq!((pvh_entry(&notes[..20]), set_pvh_entry(&mut [], 7)), (None, None));
    }

    #[test]
    fn nonsense_is_an_error() {
        let wrong = |notes: &[Vec<u8>]| Facts::of(&image(notes)).expect_err("an error");
        wrong(&[note(b"Mirage", 1, b"\xff")]);
        wrong(&[note(b"Mirage", 1, b"forward=80")]);
        wrong(&[note(b"Solo5", MANIFEST, &manifest()[..100])]);
        Facts::of(b"#!/bin/sh").expect_err("an error");
        let mut beyond = image(&[note(b"Mirage", 1, b"")]);
        beyond[64 + 8] = 0xff;
        Facts::of(&beyond).expect_err("an error");
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            end in any::<prop::sample::Index>(),
        ) {
            let notes = [note(b"Solo5", MANIFEST, &manifest()), note(b"Mirage", 1, b"net=service\nforward=8080:80\n")];
            let mut file = image(&notes);
            for (index, byte) in at {
                let index = index.index(file.len());
                file[index] = byte;
            }
            file.truncate(end.index(file.len() + 1));
            let _ = Facts::of(&file);
            let _ = strip(&file);
        }
    }
}
