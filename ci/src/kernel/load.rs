//! Web clients that people use.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Images;
use super::client::{noise, same, sha256};
use super::image::Image;
use crate::command;

const URL: &str = "http://10.0.0.2";

fn curl(path: &str, arguments: &[&str]) -> Result<String, String> {
    command::output(
        Command::new("curl")
            .args(["-sS", "--fail-with-body", "--max-time", "60"])
            .args(arguments)
            .arg(URL.to_owned() + path),
    )
}

/// The page, the statistics, an upload of 50 MB and a page that is not there.
pub(crate) fn curl_tests(images: &Images) -> Result<(), String> {
    let _web = Image::on_tap(&images.web, 80, &[])?;
    let page = curl("/", &[])?;
    same("the page says what it is", page.contains("<title>") && page.contains("Mirage"), true)?;
    let statistics: serde_json::Value =
        serde_json::from_str(&curl("/stats", &[])?).map_err(|error| error.to_string())?;
    same("the asking connection is counted", statistic(&statistics, "tcp.connections")?, 1)?;
    let data = noise(50_000_000);
    let mut child = Command::new("curl")
        .args(["-sS", "--fail", "--max-time", "60", "--data-binary", "@-", "-H", "Expect:"])
        .arg(format!("{URL}/sha256"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    child.stdin.take().ok_or("curl has a standard input")?.write_all(&data).map_err(|error| error.to_string())?;
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    same("the uploaded bytes' hash", String::from_utf8_lossy(&output.stdout).trim(), &sha256(&data))?;
    let missing = command::output(Command::new("curl").args([
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
        &format!("{URL}/nothing"),
    ]))?;
    same("a page that is not there", missing.as_str(), "404")
}

/// No socket error, no timeout; afterwards nothing is left but the connection that asks.
pub(crate) fn wrk(images: &Images) -> Result<(), String> {
    let _web = Image::on_tap(&images.web, 80, &[])?;
    let said = command::output(Command::new("wrk").args(["-t2", "-c256", "-d10", &format!("{URL}/")]))?;
    if said.contains("Socket errors") || said.contains("Non-2xx") || !said.contains("requests in") {
        return Err(format!("wrk said: {}", said.trim()));
    }
    let rate = said.lines().find(|line| line.starts_with("Requests/sec")).unwrap_or_default();
    println!("    wrk: {rate}");
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        let statistics: serde_json::Value =
            serde_json::from_str(&curl("/stats", &[])?).map_err(|error| error.to_string())?;
        let left = (statistic(&statistics, "tcp.connections")?, statistic(&statistics, "tcp.blocks_in_use")?);
        if left == (1, 0) {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{} connections and {} blocks are left", left.0, left.1));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn statistic(statistics: &serde_json::Value, name: &str) -> Result<u64, String> {
    statistics
        .get(name)
        .and_then(serde_json::Value::as_u64)
        .ok_or_else(|| format!("/stats has no {name}: {statistics}"))
}

/// The hash of `/bytes/N` is the same through our stack as through the kernel's sockets.
pub(crate) fn bytes(images: &Images) -> Result<(), String> {
    let _ours = Image::on_tap(&images.web, 80, &[])?;
    let host = SocketAddr::from((Ipv4Addr::LOCALHOST, 8080));
    let _kernels = Image::start(Command::new(&images.web).arg("--net=socket"), host)?;
    let ours = hash(&format!("{URL}/bytes/100000000"))?;
    let kernels = hash("http://127.0.0.1:8080/bytes/100000000")?;
    same("the hash", ours, kernels)
}

/// The SHA-256 of what curl gets, and its length.
pub(crate) fn hash(url: &str) -> Result<(String, usize), String> {
    let mut child = Command::new("curl")
        .args(["-sS", "--fail", "--max-time", "120", url])
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    let mut stdout = child.stdout.take().ok_or("curl has a standard output")?;
    super::client::read_all(&mut stdout, |bytes| body.extend_from_slice(bytes)).map_err(|error| error.to_string())?;
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok((sha256(&body), body.len())) } else { Err(format!("curl {url}: {status}")) }
}
