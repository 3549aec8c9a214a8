//! What `configure` remembers: `.mirage/NAME.toml` in the workspace's top folder, to be read and edited by hand.

pub(crate) mod text;

use std::path::{Path, PathBuf};

use crate::arguments::Launch;
use crate::failure::{OrFail, Result};
use crate::project::{Application, Project};

/// Where it lies.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.root().join(".mirage")
}

/// The file of one application.
pub(crate) fn file(project: &Project, application: &Application<'_>) -> PathBuf {
    folder(project).join(format!("{}.toml", application.name()))
}

/// What is remembered; nothing if there is no file.
pub(crate) fn read(file: &Path) -> Result<Launch> {
    match std::fs::read_to_string(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Launch::default()),
        Err(error) => Err(error).or_fail(|| file.display().to_string()),
        Ok(text) => toml::from_str(&text).or_fail(|| format!("{} (`mirage configure` writes it anew)", file.display())),
    }
}

/// Remembers `launch`.
pub(crate) fn write(file: &Path, launch: &Launch) -> Result<()> {
    let text = toml::to_string_pretty(launch).or_fail(|| file.display().to_string())?;
    let text = format!("# Written by `mirage configure`; a flag of `mirage run` goes before what stands here.\n{text}");
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).or_fail(|| folder.display().to_string())?;
    std::fs::write(file, text).or_fail(|| file.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let launch = Launch {
            target: Some("virtio".parse().expect("a target")),
            net: vec!["service=tap:tap0".parse().expect("a net")],
            block: vec!["data=/x/disk.img,sector=4096".parse().expect("a disk")],
            forward: vec!["udp:5353:53".parse().expect("a forward")],
            memory: Some(64),
            machine: Some(crate::arguments::Machine::Q35),
            tender: Some(crate::arguments::Tender::Solo5),
            kvm: true,
            arguments: vec!["--hello=a \"b\"".into()],
        };
        let text = toml::to_string_pretty(&launch).expect("text");
        assert!(text.starts_with("target = \"virtio\"\n"), "{text}");
        assert_eq!(toml::from_str::<Launch>(&text).expect("a launch"), launch);
        let nothing = toml::to_string_pretty(&Launch::default()).expect("text");
        assert_eq!(nothing, "");
        assert_eq!(toml::from_str::<Launch>("").expect("a launch"), Launch::default());
    }

    #[test]
    fn a_misspelt_setting_is_an_error() {
        assert!(toml::from_str::<Launch>("memry = 1").is_err());
        assert!(toml::from_str::<Launch>("target = \"xen\"").is_err());
    }
}
