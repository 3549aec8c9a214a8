//! How many bytes each crate is in an image.

use std::collections::BTreeMap;
use std::path::Path;

use addr2line::Loader;
use object::LittleEndian as LE;
use object::elf::{self, FileHeader64};
use object::read::elf::{FileHeader as _, ProgramHeader as _};

use super::NotAnImage;
use crate::cargo::Crate;

/// How many bytes there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Instructions; on some targets constants between them, too.
    pub(crate) code: u64,
    /// What is only read.
    pub(crate) constants: u64,
    /// What is written, too.
    pub(crate) data: u64,
    /// What begins as zero, and is not in the file.
    pub(crate) zeros: u64,
}

impl Sizes {
    /// The segments of `file`.
    pub(crate) fn of(file: &[u8]) -> Result<Self, NotAnImage> {
        let header = FileHeader64::<LE>::parse(file).map_err(|_| NotAnImage("it is no ELF file of 64 bits"))?;
        let headers =
            header.program_headers(LE, file).map_err(|_| NotAnImage("its program headers lie outside of it"))?;
        let mut sizes = Self::default();
        for header in headers.iter().filter(|header| header.p_type(LE) == elf::PT_LOAD) {
            let has = |flag| header.p_flags(LE).contains(flag);
            let kind = match (has(elf::PF_X), has(elf::PF_W)) {
                (true, _) => &mut sizes.code,
                (false, true) => &mut sizes.data,
                (false, false) => &mut sizes.constants,
            };
            *kind = kind.saturating_add(header.p_filesz(LE));
            let zeros = header.p_memsz(LE).saturating_sub(header.p_filesz(LE));
            sizes.zeros = sizes.zeros.saturating_add(zeros);
        }
        Ok(sizes)
    }
}

/// Bytes of code by the crate whose source they were made from, wherever it was inlined; by the line tables of the file with
/// symbols. Crates that the compiler brought along have their version behind their name. What no table tells about is under "".
pub(crate) fn by_crate(
    symbols: &Path,
    file: &[u8],
    crates: &[Crate],
) -> Result<BTreeMap<String, u64>, Box<dyn std::error::Error>> {
    let loader = Loader::new(symbols)?;
    let header = FileHeader64::<LE>::parse(file)?;
    let mut sizes = BTreeMap::<String, u64>::new();
    for header in header.program_headers(LE, file)? {
        if header.p_type(LE) != elf::PT_LOAD || !header.p_flags(LE).contains(elf::PF_X) {
            continue;
        }
        let (start, len) = (header.p_vaddr(LE), header.p_filesz(LE));
        let mut known = 0;
        for (_, bytes, location) in loader.find_location_range(start, start.saturating_add(len))? {
            let owner = location.file.map(|file| owner(file, crates)).unwrap_or_default();
            *sizes.entry(owner).or_default() += bytes;
            known += bytes;
        }
        *sizes.entry(String::new()).or_default() += len.saturating_sub(known);
    }
    Ok(sizes)
}

/// The crate that the source file `path` belongs to.
fn owner(path: &str, crates: &[Crate]) -> String {
    // The compiler's own: `…/library/core/src/…`, and `/rust/deps/compiler_builtins-…/src/…`.
    if let Some((_, rest)) = path.split_once("library/") {
        return rest.split('/').next().unwrap_or_default().to_owned();
    }
    if let Some((_, rest)) = path.split_once("/rust/deps/") {
        let folder = rest.split('/').next().unwrap_or_default();
        return folder.rsplit_once('-').map_or(folder.to_owned(), |(name, version)| format!("{name} {version}"));
    }
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| folder.is_empty() || rest.starts_with('/'));
    let is_owner = |candidate: &&Crate| match &candidate.folder {
        // Alone in its workspace. Nothing else has names without a folder.
        Some(folder) if folder.is_empty() => ["src/", "target/"].iter().any(|inside| path.starts_with(inside)),
        Some(folder) => below(folder),
        None => {
            let folder = format!("{}-{}", candidate.name, candidate.version);
            below(&folder) || path.contains(&format!("/{folder}/"))
        }
    };
    let deepest = |candidate: &&Crate| candidate.folder.as_ref().map_or(usize::MAX, String::len);
    crates.iter().filter(is_owner).max_by_key(deepest).map(|owner| owner.name.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_known_by_their_folders() {
        let make = |name: &str, folder: Option<&str>| Crate {
            name: name.into(),
            version: "1.0.0".into(),
            features: vec![],
            folder: folder.map(str::to_owned),
        };
        let crates = [make("app", Some("")), make("part", Some("net/part")), make("talc", None)];
        let owner = |path| owner(path, &crates);
        assert_eq!(owner("/rustc/0123/library/core/src/fmt/mod.rs"), "core");
        assert_eq!(owner("library/alloc/src/vec/mod.rs"), "alloc");
        assert_eq!(owner("/rust/deps/compiler_builtins-0.1.160/src/int.rs"), "compiler_builtins 0.1.160");
        assert_eq!(owner("talc-1.0.0/src/lib.rs"), "talc");
        assert_eq!(owner("net/part/src/lib.rs"), "part");
        assert_eq!(owner("src/main.rs"), "app");
        // In a process names are whole.
        assert_eq!(owner("/home/u/.cargo/registry/src/index-0/talc-1.0.0/src/lib.rs"), "talc");
        assert_eq!(owner("elsewhere/src/lib.rs"), "");
    }
}
