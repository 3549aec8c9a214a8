//! The network devices of its own that a process can have: tap devices.

use alloc::format;
use alloc::rc::Rc;
use alloc::string::String;
use core::cell::RefCell;
use core::fmt;
use core::str::FromStr;

use mirage_net_unix::{Options, Tap};
use mirage_unix::Reactor;

use crate::{Argument, Arguments, BadArgument, Device, DeviceError, DeviceKind};

/// Which tap device is which network device.
const NIC: Argument = Argument::list("nic", "NAME=tap:INTERFACE", "the tap device that is the network device NAME");

/// What one `--nic` says.
struct Asked {
    name: String,
    interface: String,
}

/// The text names no device.
struct AskedError;

impl fmt::Display for AskedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected NAME=tap:INTERFACE")
    }
}

impl FromStr for Asked {
    type Err = AskedError;

    fn from_str(text: &str) -> Result<Self, AskedError> {
        let (name, interface) = text.split_once("=tap:").ok_or(AskedError)?;
        Ok(Self { name: name.into(), interface: interface.into() })
    }
}

/// What an application with these devices reads: nothing where none is a network device.
pub(super) fn arguments(devices: &[Device]) -> &'static [Argument] {
    if nics(devices).next().is_some() { &[NIC] } else { &[] }
}

/// Whether every network device of the application was named, and no other.
pub(super) fn check(arguments: &Arguments, devices: &[Device]) -> Result<(), BadArgument> {
    let asked = arguments.all::<Asked>(&NIC)?;
    if let Some(nic) = nics(devices).find(|nic| asked.iter().all(|asked| asked.name != nic.name)) {
        return Err(BadArgument::new(&format!("--nic={}=tap:INTERFACE", nic.name), &"must be given"));
    }
    match asked.iter().find(|asked| nics(devices).all(|nic| nic.name != asked.name)) {
        None => Ok(()),
        Some(Asked { name, .. }) => {
            let argument = format!("--nic={name}=tap:INTERFACE");
            Err(BadArgument::new(&argument, &"the application has no network device of this name"))
        }
    }
}

fn nics(devices: &[Device]) -> impl Iterator<Item = &Device> {
    devices.iter().filter(|device| device.kind == DeviceKind::Net)
}

/// A network device by its name; none where it was handed out.
type Named = (String, RefCell<Option<Tap>>);

/// The network devices of the process. A handle: clones are the same.
#[derive(Clone)]
pub(super) struct Nics(Rc<[Named]>);

impl Nics {
    /// Opens them all, so that what is wrong with one is told before anything starts.
    pub(super) fn open(arguments: &Arguments, reactor: &Reactor) -> Result<Self, String> {
        let open = |Asked { name, interface }| {
            let tap = Tap::open(reactor, &interface, Options::default());
            Ok((name, RefCell::new(Some(tap.map_err(|error| format!("{interface}: {error}"))?))))
        };
        let asked = arguments.all::<Asked>(&NIC).map_err(|error| format!("{error}"))?;
        asked.into_iter().map(open).collect::<Result<_, String>>().map(Self)
    }

    /// Hands out the device `name`, once.
    pub(super) fn take(&self, name: &str) -> Result<Tap, DeviceError> {
        let (_, nic) = self.0.iter().find(|(known, _)| known == name).ok_or(DeviceError::Missing)?;
        nic.take().ok_or(DeviceError::Busy)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::arguments::Stop;

    const DEVICES: &[Device] = &[Device::net("inside"), Device::block("data")];

    fn refused(words: &[&str]) -> Option<String> {
        let words = words.iter().map(ToString::to_string);
        let read = Arguments::parse(&[arguments(DEVICES)], words)
            .and_then(|arguments| check(&arguments, DEVICES).map_err(Stop::from));
        match read {
            Ok(()) => None,
            Err(Stop::Bad(bad)) => Some(bad.to_string()),
            Err(_) => panic!("nobody asked for help"),
        }
    }

    #[test]
    fn each_network_device_is_named_and_no_other() {
        assert_eq!(refused(&["--nic=inside=tap:tap7"]), None);
        let told = |words: &[&str], reason: &str| {
            let said = refused(words).expect("is refused");
            assert!(said.contains(reason), "{said}");
        };
        told(&[], "--nic=inside=tap:INTERFACE: must be given");
        told(&["--nic=inside=tap:tap7", "--nic=data=tap:tap8"], "no network device of this name");
        told(&["--nic=inside=tap7"], "expected NAME=tap:INTERFACE");
    }
}
