//! How QEMU is told to be the machine of an image.

use std::path::Path;

use crate::arguments::{Attachment, Block, Forward, Machine};
use crate::devices::Devices;

/// A machine for one image.
#[derive(Clone, Debug)]
pub(crate) struct Qemu<'a> {
    /// The image.
    pub(crate) image: &'a Path,
    /// Its boot line.
    pub(crate) line: &'a str,
    /// Which machine.
    pub(crate) machine: Machine,
    /// Its memory, in mebibytes.
    pub(crate) memory: u32,
    /// Whether the host's processor runs it.
    pub(crate) kvm: bool,
    /// What stands behind its devices.
    pub(crate) devices: &'a Devices,
    /// Where this machine offers the image's services; on the first network in user mode.
    pub(crate) forwards: &'a [Forward],
}

impl Qemu<'_> {
    /// The arguments of `qemu-system-x86_64`.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let options = self.options().into_iter();
        options.flat_map(|(option, value)| std::iter::once(option.to_owned()).chain(value)).collect()
    }

    /// The command as one would type it.
    pub(crate) fn command_line(&self) -> String {
        self.options().iter().fold("qemu-system-x86_64".to_owned(), |line, (option, value)| {
            let value = value.as_ref().map_or(String::new(), |value| format!(" {}", quoted(value)));
            format!("{line} \\\n    {option}{value}")
        })
    }

    /// Each option with its value.
    fn options(&self) -> Vec<(&'static str, Option<String>)> {
        let mut options = Vec::new();
        let mut add = |option: &'static str, value: String| options.push((option, Some(value)));
        let (accelerator, processor) = if self.kvm { ("kvm", "host") } else { ("tcg", "max") };
        let devices = self.devices.nets.len() + self.devices.blocks.len() + 1;
        add("-machine", format!("{}{}", self.machine.name(), self.machine.settings(devices)));
        add("-accel", accelerator.to_owned());
        add("-cpu", processor.to_owned());
        add("-m", self.memory.to_string());
        // The image's console is standard output.
        add("-display", "none".to_owned());
        add("-serial", "stdio".to_owned());
        // How an image gives its exit code: see `exit_code`.
        add("-device", "isa-debug-exit".to_owned());
        add("-kernel", self.image.display().to_string());
        if !self.line.is_empty() {
            add("-append", self.line.to_owned());
        }
        let bus = self.machine.bus();
        let mut forwards = self.forwards;
        for (index, (_, attachment)) in self.devices.nets.iter().enumerate() {
            let host = match attachment {
                Attachment::User => {
                    let doors = std::mem::take(&mut forwards).iter().map(door).collect::<String>();
                    format!("user,id=net{index}{doors}")
                }
                Attachment::Tap(interface) => format!("tap,id=net{index},ifname={interface},script=no,downscript=no"),
            };
            add("-netdev", host);
            // Nobody boots from a network card, so it need not bring a program for that.
            let program = if self.machine == Machine::Microvm { "" } else { ",romfile=" };
            add("-device", format!("virtio-net-{bus},netdev=net{index}{program}"));
        }
        for (index, Block { name, path, sector }) in self.devices.blocks.iter().enumerate() {
            let path = path.display().to_string().replace(',', ",,");
            add("-drive", format!("if=none,id=block{index},format=raw,file={path}"));
            let sizes = format!("logical_block_size={sector},physical_block_size={sector}");
            add("-device", format!("virtio-blk-{bus},drive=block{index},serial={name},{sizes}"));
        }
        add("-device", format!("virtio-rng-{bus}"));
        // Nothing that was not asked for, and the end is the end.
        options.extend(["-no-user-config", "-nodefaults", "-no-reboot"].map(|option| (option, None)));
        options
    }
}

impl Machine {
    /// What it does without: an image looks at nothing of it, and it would only take time to start. A `microvm` has room for
    /// 8 devices without ACPI and for 24 with it.
    const fn settings(self, devices: usize) -> &'static str {
        match self {
            Self::Microvm if devices > 8 => ",pit=off,pic=off,rtc=on",
            Self::Microvm => ",acpi=off,pit=off,pic=off,rtc=on",
            Self::Q35 | Self::Pc => ",acpi=off",
        }
    }

    /// How devices are attached to it: the end of their names.
    const fn bus(self) -> &'static str {
        match self {
            Self::Microvm => "device",
            Self::Q35 | Self::Pc => "pci",
        }
    }
}

/// The image's exit code from QEMU's: the device `isa-debug-exit` makes `2 × code + 1` of it, and codes above 127 all become
/// 127. An even one is QEMU's own: 0 when it was told to stop or when the machine was turned off.
pub(crate) fn exit_code(status: u8) -> u8 {
    match status {
        0 => 0,
        odd if odd % 2 == 1 => odd / 2,
        _ => 1,
    }
}

fn door(forward: &Forward) -> String {
    format!(",hostfwd={}:{}-:{}", forward.protocol(), forward.0.host, forward.0.service.port)
}

/// For a shell.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "-_./=,:+@%[]".contains(char);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Devices {
        Devices {
            nets: vec![("service".into(), Attachment::User), ("inside".into(), Attachment::Tap("tap0".into()))],
            blocks: vec!["data=/a,b/disk.img,sector=4096".parse().expect("a disk")],
        }
    }

    fn line(machine: Machine, kvm: bool) -> String {
        let forwards = ["8080:80", "udp:0.0.0.0:5353:53"].map(|forward| forward.parse().expect("a forward"));
        let image = Path::new("/x/web.virtio");
        let line = "--hello=it's\\ me";
        Qemu { image, line, machine, memory: 64, kvm, devices: &devices(), forwards: &forwards }.command_line()
    }

    #[test]
    fn the_command_line_has_everything_that_was_asked_for() {
        let line = line(Machine::Microvm, false);
        for part in [
            "qemu-system-x86_64 \\\n    -machine microvm,acpi=off,pit=off,pic=off,rtc=on \\\n    -accel tcg",
            "-m 64 ",
            "-device isa-debug-exit ",
            "-kernel /x/web.virtio ",
            r"-append '--hello=it'\''s\ me' ",
            "-netdev user,id=net0,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=udp:0.0.0.0:5353-:53 ",
            "-device virtio-net-device,netdev=net0 ",
            "-netdev tap,id=net1,ifname=tap0,script=no,downscript=no ",
            "-drive if=none,id=block0,format=raw,file=/a,,b/disk.img ",
            "-device virtio-blk-device,drive=block0,serial=data,logical_block_size=4096,physical_block_size=4096 ",
        ] {
            assert!((line.clone() + " ").contains(part), "{part} is not in {line}");
        }
    }

    #[test]
    fn machines_with_pci_have_devices_on_it() {
        for machine in [Machine::Q35, Machine::Pc] {
            let line = line(machine, true);
            assert!(
                line.contains(&format!("-machine {},acpi=off ", machine.name())) && line.contains("-accel kvm"),
                "{line}"
            );
            assert!(line.contains("virtio-net-pci,netdev=net0,romfile= ") && line.contains("virtio-blk-pci"), "{line}");
            assert!(!line.contains("-device virtio-net-device"), "{line}");
        }
    }

    #[test]
    fn exit_codes_come_through_qemu() {
        for (code, status) in [(0, 1), (1, 3), (63, 127), (64, 129), (101, 203), (127, 255)] {
            assert_eq!(exit_code(status), code);
        }
        assert_eq!(exit_code(0), 0);
        assert_eq!(exit_code(134), 1);
    }
}
