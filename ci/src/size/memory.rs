//! The least memory that an image runs in: found by running it.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::platform::{Devices, Platform};
use crate::kernel::namespace::{Namespace, TAP};
use crate::workspace;

/// What is tried first, and has to do.
const MOST: u32 = 64;
/// How long an image may take before it counts as one that does not run.
const PATIENCE: Duration = Duration::from_secs(10);

/// The least memory in MiB in which the image of `package` does what it is for; nothing where it cannot be run here.
pub(super) fn least(package: &str, platform: Platform, image: &Path) -> Result<Option<u32>, String> {
    if platform == Platform::Hvt {
        return Ok(None);
    }
    let disk = (package == "disk").then(disk).transpose()?;
    let namespace = Namespace::new()?;
    let works = |memory| {
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                namespace.enter()?;
                works(package, platform, image, memory, disk.as_deref())
            });
            run.join().unwrap_or_else(|_| Err("panicked".to_owned()))
        })
    };
    if !works(MOST)? {
        return Err(format!("{} does not work in {MOST} MiB", image.display()));
    }
    let (mut too_little, mut enough) = (0, MOST);
    while enough - too_little > 1 {
        let middle = (too_little + enough) / 2;
        if works(middle)? { enough = middle } else { too_little = middle }
    }
    Ok(Some(enough))
}

/// A file for a disk.
fn disk() -> Result<PathBuf, String> {
    let file = workspace::target().join("bench/size-disk.img");
    fs::create_dir_all(workspace::target().join("bench"))
        .and_then(|()| fs::write(&file, vec![0; 1 << 20]))
        .map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

/// What asks a service over a connection, and says whether the answer was right.
type Check = fn(TcpStream) -> std::io::Result<bool>;

/// Whether the image does what it is for in so many MiB.
fn works(package: &str, platform: Platform, image: &Path, memory: u32, disk: Option<&Path>) -> Result<bool, String> {
    let service: Option<(u16, Check)> = match package {
        "echo" => Some((7, echoes)),
        "web" => Some((80, answers)),
        _ => None,
    };
    let devices = Devices { tap: service.map(|_| (TAP, "--ipv4=10.0.0.2/24")), disk };
    let Some(mut command) = platform.command(image, memory, &devices) else { return Ok(false) };
    let mut process = Process::start(&mut command)?;
    let Some((port, check)) = service else {
        return Ok(process.exit_code() == Some(platform.success()));
    };
    let Some(stream) = process.connect(SocketAddr::from(([10, 0, 0, 2], port))) else { return Ok(false) };
    let times = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    times.map_err(|error| error.to_string())?;
    Ok(check(stream).unwrap_or(false))
}

/// 64 KiB come back as they were.
fn echoes(mut stream: TcpStream) -> std::io::Result<bool> {
    let sent: Vec<u8> = (0..65_536_u32).map(|number| (number / 7) as u8).collect();
    let mut back = Vec::new();
    for part in sent.chunks(1_024) {
        stream.write_all(part)?;
        let mut echo = vec![0; part.len()];
        stream.read_exact(&mut echo)?;
        back.extend(echo);
    }
    Ok(back == sent)
}

/// The page and a megabyte come whole.
fn answers(mut stream: TcpStream) -> std::io::Result<bool> {
    stream.write_all(
        b"GET / HTTP/1.1\r\nHost: image\r\n\r\nGET /bytes/1000000 HTTP/1.1\r\nHost: image\r\nConnection: close\r\n\r\n",
    )?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    Ok(all.starts_with(b"HTTP/1.1 200") && all.len() > 1_000_000)
}

/// An image that runs, ended when dropped.
struct Process(Child);

impl Process {
    fn start(command: &mut Command) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        child.map(Self).map_err(|error| format!("{name} did not start: {error}"))
    }

    /// Its exit code, if it ends in time and by itself.
    fn exit_code(&mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.0.try_wait() {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// A connection to it, if it takes one in time and lives so long.
    fn connect(&mut self, address: SocketAddr) -> Option<TcpStream> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline && matches!(self.0.try_wait(), Ok(None)) {
            if let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
                return Some(stream);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }
}
