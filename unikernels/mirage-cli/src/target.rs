//! What an image boots on.

use std::fmt;
use std::str::FromStr;

/// A target that can be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An ordinary process.
    Unix,
    /// Solo5's sandboxed process: the tender takes every system call away that the image does not need.
    Spt,
    /// Solo5's hardware-virtualised tender, on KVM.
    Hvt,
    /// A virtual machine with virtio devices: QEMU and its relatives.
    Virtio,
}

/// The name is not that of a target that can be built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotATarget(String);

impl Target {
    /// All, in the order in which they are listed.
    pub(crate) const ALL: [Self; 4] = [Self::Unix, Self::Spt, Self::Hvt, Self::Virtio];

    /// As one types it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Unix => "unix",
            Self::Spt => "spt",
            Self::Hvt => "hvt",
            Self::Virtio => "virtio",
        }
    }

    /// The feature of an application that selects it.
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::Unix => "unix",
            Self::Spt => "solo5-spt",
            Self::Hvt => "solo5-hvt",
            Self::Virtio => "virtio",
        }
    }

    /// The profile it is built with.
    pub(crate) const fn profile(self) -> &'static str {
        match self {
            Self::Unix => "release",
            Self::Spt | Self::Hvt | Self::Virtio => "image",
        }
    }

    /// The name of an application's file in `dist/`.
    pub(crate) fn file(self, application: &str) -> String {
        match self {
            Self::Unix => application.to_owned(),
            Self::Spt | Self::Hvt | Self::Virtio => format!("{application}.{}", self.name()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Target {
    type Err = NotATarget;

    fn from_str(name: &str) -> Result<Self, NotATarget> {
        Self::ALL.into_iter().find(|target| target.name() == name).ok_or_else(|| NotATarget(name.to_owned()))
    }
}

impl fmt::Display for NotATarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(name) = self;
        match name.as_str() {
            "xen" | "macos" => write!(f, "the target {name} is reserved and does not exist yet")?,
            _ => write!(f, "there is no target {name}")?,
        }
        f.write_str("; choose unix, spt, hvt or virtio")
    }
}

impl std::error::Error for NotATarget {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_found_by_its_name() {
        for target in Target::ALL {
            assert_eq!(target.name().parse(), Ok(target));
        }
    }

    #[test]
    fn reserved_targets_are_refused_with_a_sentence() {
        let said = |name: &str| name.parse::<Target>().expect_err("an error").to_string();
        assert!(said("xen").contains("does not exist yet"));
        assert!(said("macos").contains("does not exist yet"));
        assert!(said("muen").contains("there is no target muen; choose unix"));
    }
}
