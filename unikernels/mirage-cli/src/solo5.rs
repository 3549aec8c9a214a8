//! How Solo5's own tenders are told to run an image.

use std::path::Path;

use crate::arguments::Attachment;
use crate::boot_line::escaped;
use crate::devices::Devices;
use crate::failure::{Failure, Result};

/// The arguments of `solo5-spt` and `solo5-hvt`.
///
/// # Errors
/// A network is to be in user mode: these tenders have taps only.
pub(crate) fn arguments(image: &Path, memory: u32, devices: &Devices, boot: &[String]) -> Result<Vec<String>> {
    let mut arguments = vec![format!("--mem={memory}")];
    for (name, attachment) in &devices.nets {
        match attachment {
            Attachment::Tap(interface) => arguments.push(format!("--net:{name}={interface}")),
            Attachment::User => {
                return Err(Failure::usage(format!(
                    "Solo5's tenders know no user network: give the network {name} a tap, --net={name}=tap:tap0"
                )));
            }
        }
    }
    for block in &devices.blocks {
        let name = &block.name;
        arguments.push(format!("--block:{name}={}", block.path.display()));
        arguments.push(format!("--block-sector-size:{name}={}", block.sector));
    }
    arguments.push("--".to_owned());
    arguments.push(image.display().to_string());
    // The tender puts blanks between them.
    arguments.extend(boot.iter().map(|argument| escaped(argument)));
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenders_are_told_of_each_device() {
        let blocks = vec!["data=disk.img".parse().expect("a disk")];
        let mut devices = Devices { nets: vec![("service".into(), Attachment::Tap("tap0".into()))], blocks };
        let boot = ["--hello=a b".to_owned()];
        let told = arguments(Path::new("web.spt"), 64, &devices, &boot).expect("arguments");
        let expected =
            "--mem=64|--net:service=tap0|--block:data=disk.img|--block-sector-size:data=512|--|web.spt|--hello=a\\ b";
        assert_eq!(told.join("|"), expected);
        devices.nets[0].1 = Attachment::User;
        assert!(arguments(Path::new("web.spt"), 64, &devices, &boot).is_err());
    }
}
