//! Programs the tests use as real peers.

use std::process::{Command, Stdio};

/// A program and the Debian package that brings it.
#[derive(Clone, Copy)]
struct Tool {
    program: &'static str,
    package: &'static str,
}

/// What the tests and benchmarks against the Linux kernel use.
const TOOLS: [Tool; 8] = [
    Tool { program: "ip", package: "iproute2" },
    Tool { program: "ping", package: "iputils-ping" },
    Tool { program: "curl", package: "curl" },
    Tool { program: "wrk", package: "wrk" },
    Tool { program: "setpriv", package: "util-linux" },
    Tool { program: "taskset", package: "util-linux" },
    Tool { program: "nginx", package: "nginx-light" },
    Tool { program: "qemu-system-x86_64", package: "qemu-system-x86" },
];

/// Whether this process may make network namespaces and taps.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Installs what is missing when root; otherwise says the one line to type.
pub(crate) fn ensure() -> Result<(), String> {
    let missing: Vec<&str> = TOOLS.iter().filter(|tool| !is_there(tool.program)).map(|tool| tool.package).collect();
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
    match TOOLS.iter().find(|tool| !is_there(tool.program)) {
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
