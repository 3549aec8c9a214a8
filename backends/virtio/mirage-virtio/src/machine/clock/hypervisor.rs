//! What the hypervisor says of itself (CPUID leaves from 0x40000000 on).

use core::arch::x86_64::__cpuid;

/// A hypervisor, by its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Kvm,
    /// QEMU without hardware that helps.
    Tcg,
    Other,
}

/// A hypervisor and its leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hypervisor {
    pub(super) kind: Kind,
    leaves: u32,
    last: u32,
}

impl Hypervisor {
    /// Looks for one. KVM may stand behind another that it imitates, 256 leaves further on.
    pub(super) fn find() -> Option<Self> {
        if __cpuid(1).ecx >> 31 == 0 {
            return None;
        }
        let all = (FIRST..FIRST + 0x1000).step_by(0x100).map(|leaves| {
            let found = __cpuid(leaves);
            Self { kind: Kind::of([found.ebx, found.ecx, found.edx]), leaves, last: found.eax }
        });
        let mut known = all.filter(|found| found.last >= found.leaves && found.last < found.leaves + 0x100);
        let first = known.next()?;
        Some(if first.kind == Kind::Other {
            known.find(|other| other.kind == Kind::Kvm).unwrap_or(first)
        } else {
            first
        })
    }

    /// The features of KVM.
    pub(super) fn kvm_features(self) -> u32 {
        if self.kind == Kind::Kvm && self.last > self.leaves { __cpuid(self.leaves + 1).eax } else { 0 }
    }

    /// Kilohertz of the time stamp counter and of the bus, where it says them (leaf 0x40000010, of VMware, QEMU and others).
    pub(super) fn rates(self) -> Option<[u32; 2]> {
        if self.last < FIRST + 0x10 || self.leaves != FIRST {
            return None;
        }
        let found = __cpuid(FIRST + 0x10);
        (found.eax != 0 && found.ebx != 0).then_some([found.eax, found.ebx])
    }
}

impl Kind {
    /// By the three words of the signature.
    fn of(words: [u32; 3]) -> Self {
        match words.map(u32::to_le_bytes).as_flattened() {
            b"KVMKVMKVM\0\0\0" => Self::Kvm,
            b"TCGTCGTCGTCG" => Self::Tcg,
            _ => Self::Other,
        }
    }
}

const FIRST: u32 = 0x4000_0000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_told_apart() {
        assert_eq!(Kind::of([0x4b4d_564b, 0x564b_4d56, 0x4d]), Kind::Kvm);
        assert_eq!(Kind::of([0x5447_4354, 0x4354_4743, 0x4743_5447]), Kind::Tcg);
        assert_eq!(Kind::of([0, 0, 0]), Kind::Other);
    }
}
