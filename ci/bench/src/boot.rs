//! `bench boot`: from the start of a process to the first word of the image in it, beside the smallest thing that can be
//! started in the same way. Needs root.

mod answer;
mod line;
mod smallest;

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::clock::median;
use crate::lab::{Lab, PEER, Side};
use crate::report::{self, Row};
use crate::{folders, nginx};

/// Starts of a process, in turn.
const PROCESSES: usize = 40;
/// Starts of a server, in turn.
const SERVERS: usize = 20;
/// Starts of a virtual machine, in turn.
const MACHINES: usize = 40;

/// Runs everything. The rows have the best of all starts: what else the machine does only makes them longer.
pub(crate) fn run() -> Result<(), String> {
    let mut rows = Vec::new();
    rows.push(row("hello.spt", "/bin/true", PROCESSES, hello_spt, || line::first(&mut Command::new("/bin/true")))?);
    let lab = Lab::new()?;
    let tap = lab.tap(8)?;
    let mut nginx = Command::new("nginx");
    nginx.arg("-c").arg(nginx::config()?);
    let mut web = Command::new(folders::program("mirage-spt"));
    web.arg("--mem=8").arg(format!("--net:service={}", tap.name));
    web.arg(folders::image("web.spt")).arg(format!("--ipv4={}/24", tap.guest));
    rows.push(row(
        "web.spt-first-answer",
        "nginx",
        SERVERS,
        || answer::first(&lab, Side::Client, &mut web, &tap.guest),
        || answer::first(&lab, Side::Peer, &mut nginx, PEER),
    )?);
    let smallest = folders::target().join("bench/smallest.virtio");
    fs::create_dir_all(folders::target().join("bench"))
        .and_then(|()| fs::write(&smallest, smallest::image(b"Hello World!\n")))
        .map_err(|error| format!("{}: {error}", smallest.display()))?;
    rows.push(row(
        "hello.virtio",
        "the smallest PVH image",
        MACHINES,
        || line::first(&mut microvm(&folders::image("hello.virtio"))),
        || line::first(&mut microvm(&smallest)),
    )?);
    report::publish("boot", "peer", &rows)
}

fn hello_spt() -> Result<Duration, String> {
    line::first(Command::new(folders::program("mirage-spt")).arg("--mem=8").arg(folders::image("hello.spt")))
}

/// QEMU's smallest machine, emulated, as `mirage run -t virtio` starts it.
fn microvm(image: &std::path::Path) -> Command {
    let mut command = Command::new("qemu-system-x86_64");
    command.args(["-machine", "microvm", "-accel", "tcg", "-cpu", "max", "-m", "64", "-display", "none"]);
    command.args(["-serial", "stdio", "-device", "isa-debug-exit", "-device", "virtio-rng-device"]);
    command.args(["-no-user-config", "-nodefaults", "-no-reboot", "-kernel"]).arg(image);
    command
}

/// Starts ours and the peer so many times in turn.
fn row(
    name: &str,
    peer_name: &str,
    times: usize,
    mut ours: impl FnMut() -> Result<Duration, String>,
    mut peer: impl FnMut() -> Result<Duration, String>,
) -> Result<Row, String> {
    let millis = |took: Duration| took.as_secs_f64() * 1e3;
    let (mut ours_all, mut peer_all) = (Vec::new(), Vec::new());
    for _ in 0..times {
        ours_all.push(millis(ours()?));
        peer_all.push(millis(peer()?));
    }
    let least = |all: &[f64]| all.iter().copied().fold(f64::INFINITY, f64::min);
    let row = Row { row: name.to_owned(), ours: least(&ours_all), peer: least(&peer_all), unit: "ms, best of all" };
    for (name, all) in [(name, ours_all), (peer_name, peer_all)] {
        println!("{name:24} best {:>8.2} ms, middle {:>8.2} ms", least(&all), median(all));
    }
    Ok(row)
}
