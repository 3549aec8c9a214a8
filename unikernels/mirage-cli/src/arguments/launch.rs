//! How an image is run: what `configure` remembers and `run` may override.

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::{Block, Forward, Net};
use crate::target::Target;

/// How an image is run.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Launch {
    /// What it boots on: unix, spt, hvt or virtio.
    #[arg(short, long)]
    #[serde(default, with = "crate::settings::text", skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<Target>,
    /// What carries a network's packets: user (no privileges) or a tap device. Without a name, the first network.
    #[arg(long, value_name = "[NAME=]user|tap:INTERFACE")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) net: Vec<Net>,
    /// The file that is a disk's contents.
    #[arg(long, value_name = "NAME=PATH[,sector=BYTES]")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) block: Vec<Block>,
    /// Where this machine offers the application's services, with --net=user: 8080:80, udp:5353:53, 0.0.0.0:8080:80.
    #[arg(long, value_name = "[udp:][ADDRESS:]PORT:PORT")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) forward: Vec<Forward>,
    /// Memory, in mebibytes.
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=4096))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) memory: Option<u32>,
    /// The machine that QEMU is.
    #[arg(long, value_enum)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) machine: Option<Machine>,
    /// What runs an image for spt: the tender in this tool, or Solo5's.
    #[arg(long, value_enum)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tender: Option<Tender>,
    /// Let QEMU use KVM.
    #[arg(long)]
    #[serde(default, skip_serializing_if = "core::ops::Not::not")]
    pub(crate) kvm: bool,
    /// Boot arguments of the application.
    #[arg(last = true, value_name = "BOOT ARGUMENTS")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) arguments: Vec<String>,
}

/// A machine of QEMU's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Machine {
    /// The smallest: no PCI, starts at once.
    #[default]
    Microvm,
    /// PCI Express, of 2009.
    Q35,
    /// PCI, of 1996.
    Pc,
}

/// What runs an image for spt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tender {
    /// The one in this tool.
    #[default]
    Builtin,
    /// Solo5's own, from the PATH.
    Solo5,
}

impl Launch {
    /// These flags, and where one was not given, what `remembered` says.
    pub(crate) fn over(self, remembered: Self) -> Self {
        fn either<T>(given: Vec<T>, remembered: Vec<T>) -> Vec<T> {
            if given.is_empty() { remembered } else { given }
        }
        Self {
            target: self.target.or(remembered.target),
            net: either(self.net, remembered.net),
            block: either(self.block, remembered.block),
            forward: either(self.forward, remembered.forward),
            memory: self.memory.or(remembered.memory),
            machine: self.machine.or(remembered.machine),
            tender: self.tender.or(remembered.tender),
            kvm: self.kvm || remembered.kvm,
            arguments: either(self.arguments, remembered.arguments),
        }
    }
}

impl Machine {
    /// As QEMU calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Microvm => "microvm",
            Self::Q35 => "q35",
            Self::Pc => "pc",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_goes_before_what_is_remembered() {
        let remembered = Launch {
            target: Some(Target::Spt),
            memory: Some(16),
            net: vec!["tap:tap0".parse().expect("a net")],
            ..Launch::default()
        };
        let flags = Launch { memory: Some(32), arguments: vec!["--a".into()], ..Launch::default() };
        let both = flags.over(remembered.clone());
        assert_eq!((both.target, both.memory, both.net), (Some(Target::Spt), Some(32), remembered.net));
        assert_eq!(both.arguments, ["--a"]);
    }
}
