//! The disks a process can have: files and block devices of the host.

mod asked;
mod lent;

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;

use mirage_block_unix::Disk;

use self::asked::Asked;
pub(crate) use self::lent::Lent;
use crate::{Argument, Arguments, BadArgument, Device, DeviceError, DeviceKind};

/// Which file is which disk.
const BLOCK: Argument =
    Argument::list("block", "NAME=PATH[,sector=BYTES][,read-only]", "the file or block device that is the disk NAME");

/// What an application with these devices reads: nothing where none is a disk.
pub(super) fn arguments(devices: &[Device]) -> &'static [Argument] {
    if disks(devices).next().is_some() { &[BLOCK] } else { &[] }
}

/// Whether each disk of the application was named once, and no other.
pub(super) fn check(arguments: &Arguments, devices: &[Device]) -> Result<(), BadArgument> {
    asked(arguments, devices).map(drop)
}

/// The disks of the process. A handle: clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Disks(Rc<[Named]>);

#[derive(Debug)]
struct Named {
    name: String,
    /// `None` while it is lent.
    disk: RefCell<Option<Disk>>,
}

impl Disks {
    /// Opens them all, so that what is wrong with one is told before anything starts.
    pub(super) fn open(arguments: &Arguments, devices: &[Device]) -> Result<Self, String> {
        let asked = asked(arguments, devices).map_err(|error| format!("{error}"))?;
        let open = |Asked { name, path, options }| {
            let disk = Disk::open(&path, options).map_err(|error| format!("{}: {error}", path.display()))?;
            Ok(Named { name, disk: RefCell::new(Some(disk)) })
        };
        asked.into_iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// Lends the disk `name` until what is given back is dropped.
    pub(super) fn lend(&self, name: &str) -> Result<Lent, DeviceError> {
        let at = self.0.iter().position(|named| named.name == name).ok_or(DeviceError::Missing)?;
        let disk = self.0[at].disk.take().ok_or(DeviceError::Busy)?;
        Ok(Lent::new(disk, self.clone(), at))
    }

    fn take_back(&self, at: usize, disk: Disk) {
        self.0[at].disk.replace(Some(disk));
    }
}

fn disks(devices: &[Device]) -> impl Iterator<Item = &Device> {
    devices.iter().filter(|device| device.kind == DeviceKind::Block)
}

fn asked(arguments: &Arguments, devices: &[Device]) -> Result<Vec<Asked>, BadArgument> {
    let asked: Vec<Asked> = arguments.all(&BLOCK)?;
    let times = |name: &str| asked.iter().filter(|asked| asked.name == name).count();
    for disk in disks(devices) {
        let argument = format!("--block={}=PATH", disk.name);
        match times(disk.name) {
            1 => {}
            0 => return Err(BadArgument::new(&argument, &"must be given")),
            _ => return Err(BadArgument::new(&argument, &"given twice")),
        }
    }
    match asked.iter().find(|asked| disks(devices).all(|disk| disk.name != asked.name)) {
        None => Ok(asked),
        Some(Asked { name, .. }) => {
            Err(BadArgument::new(&format!("--block={name}=PATH"), &"the application has no disk of this name"))
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::arguments::Stop;

    const DEVICES: &[Device] = &[Device::block("data"), Device::net("spare"), Device::block("log")];

    fn refused(devices: &[Device], words: &[&str]) -> Option<String> {
        let words = words.iter().map(ToString::to_string);
        let read = Arguments::parse(&[arguments(devices)], words).and_then(|arguments| {
            check(&arguments, devices)?;
            Ok(())
        });
        match read {
            Ok(()) => None,
            Err(Stop::Bad(bad)) => Some(bad.to_string()),
            Err(_) => panic!("nobody asked for help"),
        }
    }

    #[test]
    fn each_disk_is_named_once_and_no_other() {
        assert_eq!(refused(DEVICES, &["--block=data=a", "--block=log=b"]), None);
        let told = |words: &[&str], reason: &str| {
            let said = refused(DEVICES, words).expect("is refused");
            assert!(said.contains(reason), "{said}");
        };
        told(&["--block=data=a"], "--block=log=PATH: must be given");
        told(&["--block=data=a", "--block=log=b", "--block=data=c"], "--block=data=PATH: given twice");
        told(&["--block=data=a", "--block=log=b", "--block=spare=c"], "no disk of this name");
        told(&["--block=data", "--block=log=b"], "expected NAME=PATH");
    }

    #[test]
    fn an_application_without_disks_knows_no_block() {
        assert_eq!(refused(&[Device::net("spare")], &[]), None);
        assert!(refused(&[], &["--block=data=a"]).is_some_and(|said| said.contains("unknown argument")));
    }
}
