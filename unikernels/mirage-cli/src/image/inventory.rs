//! What an image is made of, written behind its last segment, where no loader looks.
//!
//! Lines of text, deflated (RFC 1951), then the length of that in four bytes, little endian, and [`MARK`]:
//!
//! ```text
//! web 0.1.0 spt rustc 1.95.0
//! embedded-io 0.7.1
//! talc 5.1.0
//! ```
//!
//! In the file with symbols, features and folder follow the version, each behind one blank.

use std::fmt::Write as _;

use crate::cargo::Crate;
use crate::target::Target;

/// What an image is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inventory {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) target: Target,
    /// The compiler's version.
    pub(crate) rustc: String,
    /// Every crate with its features; also the application.
    pub(crate) crates: Vec<Crate>,
}

impl Inventory {
    /// For the end of an image: crates and versions.
    pub(crate) fn trailer(&self) -> Vec<u8> {
        seal(&self.text(false))
    }

    /// For the end of the file with symbols: it also has the features of the crates and
    /// their folders, by which their sources are known again.
    pub(crate) fn long_trailer(&self) -> Vec<u8> {
        seal(&self.text(true))
    }

    /// Reads it from the end of `file`; `None` if there is none that makes sense.
    pub(crate) fn of(file: &[u8]) -> Option<Self> {
        let (rest, mark) = file.split_last_chunk::<{ MARK.len() }>()?;
        let (rest, len) = rest.split_last_chunk::<4>().filter(|_| mark == MARK)?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let deflated = rest.get(rest.len().checked_sub(len)?..)?;
        let text = miniz_oxide::inflate::decompress_to_vec_with_limit(deflated, LONGEST).ok()?;
        Self::parse(std::str::from_utf8(&text).ok()?)
    }

    /// Whether `other` is of the same build, as far as both tell.
    pub(crate) fn agrees_with(&self, other: &Self) -> bool {
        self.text(false) == other.text(false)
    }

    fn text(&self, is_long: bool) -> String {
        let Self { name, version, target, rustc, crates } = self;
        let mut text = format!("{name} {version} {target} rustc {rustc}\n");
        for Crate { name, version, features, folder } in crates {
            // Writing to a string does not fail.
            let _ = match (is_long, folder) {
                (false, _) => writeln!(text, "{name} {version}"),
                (true, None) => writeln!(text, "{name} {version} {}", features.join(",")),
                (true, Some(folder)) => writeln!(text, "{name} {version} {} {folder}", features.join(",")),
            };
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next()?.split(' ').collect();
        let &[name, version, target, "rustc", rustc] = head.as_slice() else { return None };
        let crates = lines.map(|line| {
            let mut words = line.splitn(4, ' ');
            let (name, version) = (words.next()?.to_owned(), words.next()?.to_owned());
            let features = words.next().unwrap_or_default().split(',').filter(|feature| !feature.is_empty());
            let features = features.map(str::to_owned).collect();
            Some(Crate { name, version, features, folder: words.next().map(str::to_owned) })
        });
        Some(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            target: target.parse().ok()?,
            rustc: rustc.to_owned(),
            crates: crates.collect::<Option<_>>()?,
        })
    }
}

fn seal(text: &str) -> Vec<u8> {
    let mut bytes = miniz_oxide::deflate::compress_to_vec(text.as_bytes(), 10);
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&len.to_le_bytes());
    bytes.extend_from_slice(MARK);
    bytes
}

/// The last bytes of a file that has an inventory.
const MARK: &[u8; 8] = b"\nMIRAGE1";
/// Most bytes of text that are believed.
const LONGEST: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inventory() -> Inventory {
        let one = |name: &str, features: &[&str], folder: Option<&str>| Crate {
            name: name.into(),
            version: "0.1.0".into(),
            features: features.iter().map(|&feature| feature.into()).collect(),
            folder: folder.map(str::to_owned),
        };
        Inventory {
            name: "web".into(),
            version: "0.1.0".into(),
            target: Target::Spt,
            rustc: "1.95.0".into(),
            crates: vec![
                one("log", &[], None),
                one("talc", &["counters", "lock"], None),
                one("web", &["solo5-spt"], Some("")),
                one("mirage-arp", &[], Some("net/mirage arp")),
            ],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let long = Inventory::of(&[b"image".as_slice(), &inventory().long_trailer()].concat()).expect("an inventory");
        assert_eq!(long, inventory());
        let short = Inventory::of(&[b"image".as_slice(), &inventory().trailer()].concat()).expect("an inventory");
        assert!(short.crates.iter().all(|one| one.features.is_empty() && one.folder.is_none()));
        assert!(short.agrees_with(&long));
        let other = Inventory { rustc: "1.96.0".into(), ..inventory() };
        assert!(!short.agrees_with(&other));
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let file = seal(&"a 1\n".repeat(1 << 20));
        assert!(file.len() < 20_000);
        assert_eq!(Inventory::of(&file), None);
    }

    proptest! {
        #[test]
        fn no_file_makes_it_panic(
            at in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut file = inventory().long_trailer();
            for (index, byte) in at {
                let index = index.index(file.len());
                file[index] = byte;
            }
            let _ = Inventory::of(&file[cut.index(file.len())..]);
        }
    }
}
