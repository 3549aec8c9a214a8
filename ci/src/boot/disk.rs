//! Disks that outlive the image.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::Images;
use super::guest::to_the_end;
use crate::kernel::same;

const LENGTH: u64 = 1 << 20;

/// Under the tender of the tool.
pub(super) fn spt(images: &Images) -> Result<(), String> {
    round_trips(images, "disk.spt", &[])
}

/// Without a bus.
pub(super) fn microvm(images: &Images) -> Result<(), String> {
    round_trips(images, "disk.virtio", &["--machine=microvm"])
}

/// On a PCI bus.
pub(super) fn q35(images: &Images) -> Result<(), String> {
    round_trips(images, "disk.virtio", &["--machine=q35"])
}

fn round_trips(images: &Images, image: &str, flags: &[&str]) -> Result<(), String> {
    [512, 4_096].into_iter().try_for_each(|sector| {
        round_trip(images, image, flags, sector).map_err(|error| format!("sectors of {sector} bytes: {error}"))
    })
}

/// What one start writes the next one reads; the whole disk holds what it is given and refuses what lies outside.
fn round_trip(images: &Images, image: &str, flags: &[&str], sector: u64) -> Result<(), String> {
    let path = images.folder.join(format!("disks/{image}-{sector}"));
    let file = File::create(&path).map_err(|error| error.to_string())?;
    file.set_len(LENGTH).map_err(|error| error.to_string())?;
    file.set_permissions(Permissions::from_mode(0o666)).map_err(|error| error.to_string())?;
    let run = |arguments: &[&str]| {
        let mut command = images.command(image);
        command.arg(format!("--block=data={},sector={sector}", path.display())).args(flags).arg("--").args(arguments);
        to_the_end(command)
    };
    let (said, code) = run(&["--check"])?;
    same("the check's code", code, Some(0)).map_err(|error| format!("{error}: {said}"))?;
    let (said, code) = run(&["--verify"])?;
    same("the code of looking again after a restart", code, Some(0)).map_err(|error| format!("{error}: {said}"))?;
    let last = (LENGTH / sector - 1).to_string();
    let (said, code) = run(&[&format!("--write={last}:kept over a restart")])?;
    same("the code of writing", code, Some(0)).map_err(|error| format!("{error}: {said}"))?;
    let (said, code) = run(&[&format!("--read={last}")])?;
    same("the code of reading", code, Some(0)).map_err(|error| format!("{error}: {said}"))?;
    same("what was written is read", said.contains("kept over a restart"), true)?;
    let (said, code) = run(&[&format!("--read={}", LENGTH / sector)])?;
    same("the code of reading past the end", code, Some(1)).map_err(|error| format!("{error}: {said}"))
}
