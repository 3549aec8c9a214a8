//! Programs the tests use as real peers.

use std::process::{Command, Stdio};

/// A program and the Debian package that brings it.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    program: &'static str,
    package: &'static str,
}

const CURL: Tool = Tool { program: "curl", package: "curl" };
const IP: Tool = Tool { program: "ip", package: "iproute2" };
const SETPRIV: Tool = Tool { program: "setpriv", package: "util-linux" };
const WRK: Tool = Tool { program: "wrk", package: "wrk" };
const QEMU_SYSTEM: Tool = Tool { program: "qemu-system-x86_64", package: "qemu-system-x86" };

/// What the tests against the Linux kernel use.
pub(crate) const KERNEL: &[Tool] = &[IP, Tool { program: "ping", package: "iputils-ping" }, CURL, WRK, SETPRIV];

/// What the tests of images that boot use.
pub(crate) const BOOT: &[Tool] = &[CURL, SETPRIV];

/// What those of them use that are for virtual machines.
pub(crate) const QEMU: &[Tool] = &[QEMU_SYSTEM];

/// What the benchmarks in network namespaces use.
pub(crate) const BENCH: &[Tool] = &[
    IP,
    CURL,
    WRK,
    Tool { program: "taskset", package: "util-linux" },
    Tool { program: "ethtool", package: "ethtool" },
    Tool { program: "nginx", package: "nginx-light" },
    QEMU_SYSTEM,
];

/// What packetdrill's scripts use.
pub(crate) const PACKETDRILL: &[Tool] = &[
    IP,
    Tool { program: "unshare", package: "util-linux" },
    Tool { program: "sysctl", package: "procps" },
    Tool { program: "python3", package: "python3" },
];

/// What looks for the least memory of images.
pub(crate) const SIZE: &[Tool] = &[IP, QEMU_SYSTEM];

/// Whether this process may make network namespaces and taps.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Installs what is missing when root; otherwise says the one line to type.
pub(crate) fn ensure(tools: &[Tool]) -> Result<(), String> {
    let missing: Vec<&str> = tools.iter().filter(|tool| !is_there(tool.program)).map(|tool| tool.package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let line = format!("apt-get install -y {}", missing.join(" "));
    if !is_root() {
        return Err(format!("programs are missing; type: sudo {line}"));
    }
    eprintln!("installing {}", missing.join(" "));
    let apt = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    apt(&["update", "-q"]);
    apt(&[&["install", "-y", "-q"], missing.as_slice()].concat());
    match tools.iter().find(|tool| !is_there(tool.program)) {
        None => Ok(()),
        Some(tool) => Err(format!("`{}` could not be installed; type: {line}", tool.program)),
    }
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}
