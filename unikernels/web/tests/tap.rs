//! The image on a real tap device, asked by the kernel's own TCP, in a network namespace of its own. It needs root:
//! without it the test says so and passes.

#![cfg(target_os = "linux")]
#![allow(clippy::std_instead_of_core, reason = "std is there")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

#[test]
fn the_kernels_tcp_is_served_over_a_tap_device() {
    if std::env::var_os("MIRAGE_TAP_TEST").is_some() {
        return serve();
    }
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !root || !std::path::Path::new("/dev/net/tun").exists() {
        eprintln!("skipped: needs root and /dev/net/tun");
        return;
    }
    let output = Command::new("unshare")
        .arg("--net")
        .arg(std::env::current_exe().expect("the test knows its file"))
        .args(["--exact", "the_kernels_tcp_is_served_over_a_tap_device", "--nocapture"])
        .env("MIRAGE_TAP_TEST", "1")
        .output()
        .expect("there is an unshare");
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn serve() {
    for arguments in ["tuntap add tap0 mode tap", "address add 10.0.0.1/24 dev tap0", "link set tap0 up"] {
        let status = Command::new("ip").args(arguments.split(' ')).status().expect("there is an ip");
        assert!(status.success(), "ip {arguments}");
    }
    let mut image = Command::new(env!("CARGO_BIN_EXE_web"))
        .args(["--net=tap:tap0", "--ipv4=10.0.0.2/24"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(image.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    assert_eq!(line, "web: http://10.0.0.2:80/\n");
    let answer = ask();
    image.kill().expect("killed");
    image.wait().expect("ended");
    let answer = answer.expect("an answer");
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    let body = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").map(|end| answer.len() - end - 4);
    assert_eq!(body, Some(5_000_000));
}

fn ask() -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&([10, 0, 0, 2], 80).into(), Duration::from_secs(10))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(b"GET /bytes/5000000 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
