//! What stands behind the devices that an image declares.

use crate::arguments::{Attachment, Block, Launch};
use crate::failure::{Failure, Result};
use crate::image::{Facts, Kind};

/// What stands behind each declared device, in the image's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    /// The network devices by name.
    pub(crate) nets: Vec<(String, Attachment)>,
    /// The disks; each has its name.
    pub(crate) blocks: Vec<Block>,
}

impl Devices {
    /// Gives every device of `facts` what `launch` says: a network without one is [`Attachment::User`], a disk must have
    /// one.
    ///
    /// # Errors
    /// A disk is missing, or a device is named twice or not declared.
    pub(crate) fn new(facts: &Facts, launch: &Launch) -> Result<Self> {
        let mut devices = Self::default();
        let mut nets: Vec<_> = launch.net.iter().collect();
        let mut blocks: Vec<_> = launch.block.iter().collect();
        for device in &facts.devices {
            let name = &device.name;
            match device.kind {
                Kind::Net => {
                    let first = devices.nets.is_empty();
                    let is_meant = |given: &Option<String>| given.as_ref().map_or(first, |given| given == name);
                    let given = nets.extract_if(.., |net| is_meant(&net.name)).collect::<Vec<_>>();
                    let attachment = match given.as_slice() {
                        [] => Attachment::User,
                        [net] => net.attachment.clone(),
                        _ => return Err(Failure::usage(format!("the network {name} has two --net"))),
                    };
                    devices.nets.push((name.clone(), attachment));
                }
                Kind::Block => {
                    let given = blocks.extract_if(.., |block| block.name == *name).collect::<Vec<_>>();
                    match given.as_slice() {
                        [] => {
                            return Err(Failure::usage(format!(
                                "the image has a disk {name}: give its file, --block={name}=PATH (`truncate -s 1M PATH` \
                                 makes one of 1 MiB)"
                            )));
                        }
                        [block] => devices.blocks.push((*block).clone()),
                        _ => return Err(Failure::usage(format!("the disk {name} has two --block"))),
                    }
                }
            }
        }
        let names = |kind| {
            let names = facts.devices.iter().filter(|device| device.kind == kind).map(|device| device.name.as_str());
            let names = names.collect::<Vec<_>>().join(", ");
            if names.is_empty() { "none".to_owned() } else { names }
        };
        match (nets.first(), blocks.first()) {
            (Some(net), _) => {
                Err(Failure::usage(format!("--net={net}: the image's networks are: {}", names(Kind::Net))))
            }
            (_, Some(block)) => {
                Err(Failure::usage(format!("--block={block}: the image's disks are: {}", names(Kind::Block))))
            }
            (None, None) => Ok(devices),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Device;

    fn facts() -> Facts {
        let device = |name: &str, kind| Device { name: name.into(), kind };
        let devices = vec![device("service", Kind::Net), device("data", Kind::Block), device("inside", Kind::Net)];
        Facts { devices, ..Facts::default() }
    }

    fn launch(nets: &[&str], blocks: &[&str]) -> Launch {
        Launch {
            net: nets.iter().map(|net| net.parse().expect("a net")).collect(),
            block: blocks.iter().map(|block| block.parse().expect("a disk")).collect(),
            ..Launch::default()
        }
    }

    #[test]
    fn a_network_without_a_name_is_the_first() {
        let devices = Devices::new(&facts(), &launch(&["tap:tap0"], &["data=x"])).expect("devices");
        let tap = Attachment::Tap("tap0".into());
        assert_eq!(devices.nets, [("service".into(), tap.clone()), ("inside".into(), Attachment::User)]);
        let devices = Devices::new(&facts(), &launch(&["inside=tap:tap0"], &["data=x"])).expect("devices");
        assert_eq!(devices.nets, [("service".into(), Attachment::User), ("inside".into(), tap)]);
    }

    #[test]
    fn what_does_not_fit_the_image_is_told() {
        let said = |nets: &[&str], blocks: &[&str]| {
            Devices::new(&facts(), &launch(nets, blocks)).expect_err("an error").to_string()
        };
        assert!(said(&[], &[]).contains("--block=data=PATH"));
        assert!(said(&["outside=user"], &["data=x"]).contains("are: service, inside"));
        assert!(said(&[], &["data=x", "more=y"]).contains("--block=more=y: the image's disks are: data"));
        assert!(said(&["user", "service=user"], &["data=x"]).contains("two --net"));
        let none = Devices::new(&Facts::default(), &launch(&["user"], &[])).expect_err("an error");
        assert!(none.to_string().contains("are: none"));
    }
}
