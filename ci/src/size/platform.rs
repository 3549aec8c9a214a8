//! What an image boots on.

use std::path::Path;
use std::process::Command;

use crate::workspace;

/// What an image boots on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Spt,
    Hvt,
    Virtio,
}

impl Platform {
    pub(super) const ALL: [Self; 3] = [Self::Spt, Self::Hvt, Self::Virtio];

    /// As `mirage build --target` calls it, and as images end.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Spt => "spt",
            Self::Hvt => "hvt",
            Self::Virtio => "virtio",
        }
    }

    /// As applications call it among their features.
    pub(super) const fn feature(self) -> &'static str {
        match self {
            Self::Spt => "solo5-spt",
            Self::Hvt => "solo5-hvt",
            Self::Virtio => "virtio",
        }
    }

    /// What runs `image` in so many MiB with these devices; nothing where no program here can.
    pub(super) fn command(self, image: &Path, memory: u32, devices: &Devices<'_>) -> Option<Command> {
        match self {
            Self::Spt => Some(spt(image, memory, devices)),
            // Its tender needs the processor's virtualization, and is none of ours.
            Self::Hvt => None,
            Self::Virtio => Some(microvm(image, memory, devices)),
        }
    }

    /// The exit code of whoever runs an image that ended well.
    pub(super) const fn success(self) -> i32 {
        match self {
            Self::Spt | Self::Hvt => 0,
            // The device `isa-debug-exit` makes 2 × code + 1 of it.
            Self::Virtio => 1,
        }
    }
}

/// What is attached to an image.
#[derive(Clone, Copy, Debug)]
pub(super) struct Devices<'d> {
    /// A tap behind the network device `service`, and what the image is told of it.
    pub(super) tap: Option<(&'d str, &'d str)>,
    /// A file behind the disk `data`.
    pub(super) disk: Option<&'d Path>,
}

fn spt(image: &Path, memory: u32, devices: &Devices<'_>) -> Command {
    let mut command = Command::new(workspace::target().join("release/mirage-spt"));
    command.arg(format!("--mem={memory}"));
    command.args(devices.tap.map(|(tap, _)| format!("--net:service={tap}")));
    command.args(devices.disk.map(|file| format!("--block:data={}", file.display())));
    command.arg(image).args(devices.tap.map(|(_, argument)| argument));
    command
}

fn microvm(image: &Path, memory: u32, devices: &Devices<'_>) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-machine", "microvm", "-accel", "tcg", "-cpu", "max", "-m", &memory.to_string()]);
    command.args(["-display", "none", "-serial", "stdio", "-device", "isa-debug-exit", "-device", "virtio-rng-device"]);
    command.args(["-no-user-config", "-nodefaults", "-no-reboot", "-kernel"]).arg(image);
    if let Some((tap, argument)) = devices.tap {
        command.args(["-netdev", &format!("tap,id=net0,ifname={tap},script=no,downscript=no,vnet_hdr=on")]);
        command.args(["-device", "virtio-net-device,netdev=net0", "-append", argument]);
    }
    if let Some(file) = devices.disk {
        command.args(["-drive", &format!("if=none,id=block0,format=raw,file={}", file.display())]);
        command.args(["-device", "virtio-blk-device,drive=block0,serial=data"]);
    }
    command
}
