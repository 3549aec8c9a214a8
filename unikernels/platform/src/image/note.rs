//! What an image says about itself to the tool that runs it: an ELF note.

use crate::device::DeviceKind;
use crate::{About, Device};

/// An ELF note with the name `Mirage` and type 1: lines of text, `key=value`. The keys are `name`, `version`, `net` and
/// `block` (a device each), and `forward` (a default of `--forward`).
#[derive(Debug)]
#[repr(C, align(4))]
pub struct Note<const N: usize> {
    name_size: u32,
    text_size: u32,
    kind: u32,
    name: [u8; 8],
    text: [u8; N],
}

impl<const N: usize> Note<N> {
    /// The note; `N` is what [`length`] says.
    pub const fn new(about: &About, devices: &[&[Device]], forwards: &[&str]) -> Self {
        let mut text = Text { bytes: [0; N], len: 0 };
        text.line("name=", about.name);
        text.line("version=", about.version);
        let mut group = 0;
        while group < devices.len() {
            let mut device = 0;
            while device < devices[group].len() {
                let Device { name, kind } = devices[group][device];
                text.line(key(kind), name);
                device += 1;
            }
            group += 1;
        }
        let mut forward = 0;
        while forward < forwards.len() {
            text.line("forward=", forwards[forward]);
            forward += 1;
        }
        Self { name_size: 7, text_size: text.len as u32, kind: 1, name: *b"Mirage\0\0", text: text.bytes }
    }
}

const fn key(kind: DeviceKind) -> &'static str {
    match kind {
        DeviceKind::Net => "net=",
        DeviceKind::Block => "block=",
    }
}

/// Bytes of text in a note, padded to four.
pub const fn length(about: &About, devices: &[&[Device]], forwards: &[&str]) -> usize {
    let mut len = "name=".len() + about.name.len() + 1 + "version=".len() + about.version.len() + 1;
    let mut group = 0;
    while group < devices.len() {
        let mut device = 0;
        while device < devices[group].len() {
            let Device { name, kind } = devices[group][device];
            len += key(kind).len() + name.len() + 1;
            device += 1;
        }
        group += 1;
    }
    let mut forward = 0;
    while forward < forwards.len() {
        len += "forward=".len() + forwards[forward].len() + 1;
        forward += 1;
    }
    len.next_multiple_of(4)
}

struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    const fn line(&mut self, key: &str, value: &str) {
        self.put(key);
        self.put(value);
        self.put("\n");
    }

    const fn put(&mut self, text: &str) {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() {
            self.bytes[self.len] = text[at];
            self.len += 1;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_lists_what_the_application_declares() {
        const ABOUT: About = About { name: "web", version: "0.1.0", summary: "" };
        const DEVICES: &[&[Device]] = &[&[Device::SERVICE], &[Device::block("data"), Device::net("other")]];
        const FORWARDS: &[&str] = &["8080:80"];
        const LENGTH: usize = length(&ABOUT, DEVICES, FORWARDS);
        static NOTE: Note<LENGTH> = Note::new(&ABOUT, DEVICES, FORWARDS);
        let text = "name=web\nversion=0.1.0\nnet=service\nblock=data\nnet=other\nforward=8080:80\n";
        assert_eq!((NOTE.name_size, NOTE.text_size, NOTE.kind), (7, text.len() as u32, 1));
        assert_eq!(&NOTE.text[..text.len()], text.as_bytes());
        assert!(NOTE.text[text.len()..].iter().all(|byte| *byte == 0) && NOTE.text.len().is_multiple_of(4));
    }
}
