//! A machine as libvirt describes it: a domain.
//!
//! libvirt knows no `microvm`, so it is always a q35. How an image gives its exit code is lost: a domain has none.

use std::fmt::Write as _;

use crate::arguments::Attachment;
use crate::qemu::Qemu;

/// The domain called `name`, for `virsh create`.
pub(crate) fn domain(name: &str, qemu: &Qemu<'_>) -> String {
    let kind = if qemu.kvm { "kvm" } else { "qemu" };
    let (processor, machine) = (if qemu.kvm { "host-passthrough" } else { "maximum" }, "q35");
    let kernel = escaped(&qemu.image.display().to_string());
    let (name, memory) = (escaped(name), qemu.memory);
    let line = match qemu.line {
        "" => String::new(),
        line => format!("    <cmdline>{}</cmdline>\n", escaped(line)),
    };
    let mut text = format!(
        "<domain type='{kind}'>
  <name>{name}</name>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='{machine}'>hvm</type>
    <kernel>{kernel}</kernel>
{line}  </os>
  <features>
    <apic/>
  </features>
  <cpu mode='{processor}'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>destroy</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <serial type='pty'>
      <target port='0'/>
    </serial>
    <console type='pty'>
      <target type='serial' port='0'/>
    </console>
    <rng model='virtio'>
      <backend model='random'>/dev/urandom</backend>
    </rng>
    <memballoon model='none'/>
"
    );
    let mut forwards = qemu.forwards;
    for (_, attachment) in &qemu.devices.nets {
        text += &match attachment {
            Attachment::User => {
                let doors = std::mem::take(&mut forwards).iter().fold(String::new(), |mut doors, forward| {
                    let (protocol, host, port) = (forward.protocol(), forward.0.host, forward.0.service.port);
                    // Writing to a string does not fail.
                    let _ = writeln!(
                        doors,
                        "      <portForward proto='{protocol}' address='{}'>\n        <range start='{}' to='{port}'/>\n      \
                         </portForward>",
                        host.ip(),
                        host.port()
                    );
                    doors
                });
                // Ports are forwarded by passt, of libvirt 9.0.
                format!(
                    "    <interface type='user'>\n      <backend type='passt'/>\n      <model type='virtio'/>\n{doors}    \
                     </interface>\n"
                )
            }
            Attachment::Tap(interface) => format!(
                "    <interface type='ethernet'>\n      <target dev='{interface}' managed='no'/>\n      <model \
                 type='virtio'/>\n    </interface>\n"
            ),
        };
    }
    for (index, block) in qemu.devices.blocks.iter().enumerate() {
        let (path, name, sector) = (escaped(&block.path.display().to_string()), &block.name, block.sector);
        let letters = device_letters(index);
        let _ = write!(
            text,
            "    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='{path}'/>
      <blockio logical_block_size='{sector}' physical_block_size='{sector}'/>
      <target dev='vd{letters}' bus='virtio'/>
      <serial>{name}</serial>
    </disk>
"
        );
    }
    text + "  </devices>\n</domain>\n"
}

/// `a` to `z`, then `aa` and on.
fn device_letters(index: usize) -> String {
    let last = char::from(b'a' + (index % 26) as u8).to_string();
    match index / 26 {
        0 => last,
        more => device_letters(more - 1) + &last,
    }
}

/// For text and attributes of XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\'', "&apos;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::arguments::Machine;
    use crate::devices::Devices;

    #[test]
    fn a_domain_has_everything_that_was_asked_for() {
        let devices = Devices {
            nets: vec![("service".into(), Attachment::User), ("inside".into(), Attachment::Tap("tap0".into()))],
            blocks: vec!["data=/a&b/disk.img,sector=4096".parse().expect("a disk")],
        };
        let forwards = ["0.0.0.0:8080:80".parse().expect("a forward")];
        let qemu = Qemu {
            image: Path::new("/x/<web>.virtio"),
            line: "--hello='a'",
            machine: Machine::Q35,
            memory: 64,
            kvm: false,
            devices: &devices,
            forwards: &forwards,
        };
        let text = domain("web", &qemu);
        for part in [
            "<domain type='qemu'>\n  <name>web</name>\n  <memory unit='MiB'>64</memory>",
            "<kernel>/x/&lt;web&gt;.virtio</kernel>",
            "<cmdline>--hello=&apos;a&apos;</cmdline>",
            "<portForward proto='tcp' address='0.0.0.0'>\n        <range start='8080' to='80'/>",
            "<target dev='tap0' managed='no'/>",
            "<source file='/a&amp;b/disk.img'/>\n      <blockio logical_block_size='4096'",
            "<target dev='vda' bus='virtio'/>\n      <serial>data</serial>",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        // As many elements are closed as are opened.
        let opened = text.matches('<').count() - text.matches("</").count() - text.matches("/>").count();
        assert_eq!(opened, text.matches("</").count());
    }

    #[test]
    fn disks_have_letters() {
        assert_eq!([0, 25, 26, 701, 702].map(device_letters), ["a", "z", "aa", "zz", "aaa"]);
    }
}
