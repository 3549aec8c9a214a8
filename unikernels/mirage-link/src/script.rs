//! The linker scripts.

/// A linker script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
}

const SOLO5: Script = Script { name: "solo5.ld", text: include_str!("../link/solo5.ld") };
const VIRTIO: Script = Script { name: "virtio.ld", text: include_str!("../link/virtio.ld") };

impl Script {
    /// The script for the target that is among the features, as cargo spells them in variables; `None` for a process.
    pub(crate) fn chosen(is_on: impl Fn(&str) -> bool) -> Option<Self> {
        // Features add up where several packages are built at once; a process is what all of them can be.
        if is_on("UNIX") {
            return None;
        }
        let targets = [("SOLO5_SPT", SOLO5), ("SOLO5_HVT", SOLO5), ("VIRTIO", VIRTIO)];
        targets.into_iter().find(|(feature, _)| is_on(feature)).map(|(_, script)| script)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_its_script() {
        assert_eq!(Script::chosen(|feature| feature == "SOLO5_SPT"), Some(SOLO5));
        assert_eq!(Script::chosen(|feature| feature == "SOLO5_HVT"), Some(SOLO5));
        assert_eq!(Script::chosen(|feature| feature == "VIRTIO"), Some(VIRTIO));
    }

    #[test]
    fn a_process_wins_and_no_target_is_none() {
        assert_eq!(Script::chosen(|_| true), None);
        assert_eq!(Script::chosen(|_| false), None);
    }
}
