//! One script.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What came of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// With the first line that says why.
    Failed(String),
}

/// How scripts are run.
pub(crate) struct Runner {
    /// packetdrill.
    pub(crate) bin: PathBuf,
    /// Our shared object.
    pub(crate) object: PathBuf,
}

impl Runner {
    /// Runs a script in a network namespace of its own, where it may set whatever `sysctl` it wants. The tunnel is only
    /// there for scripts that say something of it; no packet goes through.
    pub(crate) fn run(&self, script: &Path) -> Verdict {
        let (Some(folder), Some(file)) = (script.parent(), script.file_name()) else {
            return Verdict::Failed("no such script".to_owned());
        };
        let mut object = std::ffi::OsString::from("--so_filename=");
        object.push(&self.object);
        let mut command = Command::new("timeout");
        command
            .args(["--signal=KILL", LIMIT, "unshare", "--net", "sh", "-c"])
            .arg("ip tuntap add dev tun0 mode tun; exec \"$0\" \"$@\"")
            .arg(&self.bin)
            .arg(object)
            .args(["--so_flags=linux,local=192.168.0.1", "--ip_version=ipv4", "--send_omit_free"])
            .args(["-D", "CODE=host_unreachable", "-D", "TFO_COOKIE=3021b9d889017eeb"])
            .args(["-D", "CMSG_LEVEL_IP=SOL_IP", "-D", "CMSG_TYPE_RECVERR=IP_RECVERR"])
            .current_dir(folder)
            .stdin(Stdio::null());
        // Some scripts are about addresses of their own.
        if !std::fs::read_to_string(script).is_ok_and(|text| text.contains("--local_ip=")) {
            command.args(["--local_ip=192.168.0.1", "--gateway_ip=192.168.0.1", "--remote_ip=192.0.2.1"]);
            command.arg("--netmask_ip=255.255.0.0");
        }
        command.arg(file);
        match output(&mut command) {
            Ok((true, _)) => Verdict::Passed,
            Ok((false, text)) => Verdict::Failed(first_error(&text)),
            Err(error) => Verdict::Failed(error.to_string()),
        }
    }
}

/// Runs it; whether it succeeded and what it printed, both streams in the order in which it came.
fn output(command: &mut Command) -> std::io::Result<(bool, String)> {
    let (mut reader, writer) = std::io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command.spawn()?;
    // The command holds the other end as well.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut text = Vec::new();
    reader.read_to_end(&mut text)?;
    Ok((child.wait()?.success(), String::from_utf8_lossy(&text).into_owned()))
}

/// The first line that is no complaint of a tool the script started, with what packetdrill shows of the packet.
fn first_error(text: &str) -> String {
    let noise = ["sysctl: ", "Cannot find device", "RTNETLINK", "Error: Specified qdisc"];
    let mut lines = text.lines().filter(|line| !noise.iter().any(|start| line.starts_with(start)));
    let Some(first) = lines.next() else { return format!("no verdict after {LIMIT} seconds") };
    let more: Vec<&str> = lines.take_while(|line| line.contains("packet: ")).collect();
    std::iter::once(first).chain(more).collect::<Vec<_>>().join("\n      ")
}

/// How long a script may take, in seconds. Its clock is not ours: most take a tenth of one.
const LIMIT: &str = "10";
