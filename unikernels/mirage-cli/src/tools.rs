//! Programs and devices of this machine that a target needs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::arguments::{Attachment, Launch, Tender};
use crate::failure::{Failure, Result};
use crate::target::Target;

/// The program called `name`: on the PATH, or where Solo5 is installed by hand.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let home = env::home_dir().map(|home| home.join(".local/bin"));
    let folders = env::split_paths(&path).chain(home).chain(["/usr/local/bin".into(), "/opt/solo5/bin".into()]);
    folders.map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// QEMU.
pub(crate) fn qemu() -> Result<PathBuf> {
    find("qemu-system-x86_64").ok_or_else(|| {
        Failure::new("QEMU is missing: apt-get install -y qemu-system-x86 (Debian, Ubuntu), dnf install qemu-system-x86 (Fedora)")
    })
}

/// A tender of Solo5's.
pub(crate) fn solo5(name: &str) -> Result<PathBuf> {
    find(name).ok_or_else(|| {
        Failure::new(format!(
            "{name} is missing: build it from https://github.com/Solo5/solo5 (./configure.sh && make) and put it on the PATH"
        ))
    })
}

/// Fails with what to install or to do if something is missing that images for `target` need to be built and run.
pub(crate) fn check(target: Target, launch: &Launch) -> Result<()> {
    if find("cc").is_none() && find("gcc").is_none() && find("clang").is_none() {
        return Err(Failure::new(
            "there is no C linker: apt-get install -y gcc (Debian, Ubuntu), dnf install gcc (Fedora)",
        ));
    }
    match target {
        Target::Unix => {}
        Target::Spt if launch.tender == Some(Tender::Solo5) => drop(solo5("solo5-spt")?),
        Target::Spt if !cfg!(all(target_os = "linux", target_arch = "x86_64")) => {
            return Err(Failure::new("images for spt run on Linux on x86-64 only; -t virtio runs wherever QEMU does"));
        }
        Target::Spt => {}
        Target::Hvt => {
            solo5("solo5-hvt")?;
            usable("/dev/kvm", "load the module kvm, or add yourself to the group kvm")?;
        }
        Target::Virtio => drop(qemu()?),
    }
    if launch.kvm {
        usable("/dev/kvm", "load the module kvm, or add yourself to the group kvm")?;
    }
    launch.net.iter().try_for_each(|net| match &net.attachment {
        Attachment::User => Ok(()),
        Attachment::Tap(interface) => tap(interface),
    })
}

/// Fails if there is no such interface.
fn tap(interface: &str) -> Result<()> {
    if Path::new("/sys/class/net").join(interface).exists() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "there is no interface {interface}: sudo ip tuntap add dev {interface} mode tap user \"$USER\" && sudo ip address \
         add 10.0.0.1/24 dev {interface} && sudo ip link set {interface} up"
    )))
}

/// Fails if this user cannot open `device`.
fn usable(device: &str, remedy: &str) -> Result<()> {
    match fs::OpenOptions::new().read(true).write(true).open(device) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure::new(format!("{device}: {error}; {remedy}"))),
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
