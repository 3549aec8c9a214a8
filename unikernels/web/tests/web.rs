//! The image as a process, on the host's stack and on our own behind its gateway, asked by the standard library's
//! sockets.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sha2::{Digest, Sha256};

struct Image {
    child: Child,
    place: SocketAddr,
}

impl Image {
    fn new(net: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_web"))
            .args([net, "--forward=0:80"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let place = line.trim().strip_prefix("web: http://").and_then(|url| url.strip_suffix('/')).expect(&line);
        Self { child, place: place.parse().expect("an address") }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.place).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        stream
    }

    /// The head and the body of the answer to `request`, which closes the connection.
    fn ask(&self, request: &str, body: &[u8]) -> (String, Vec<u8>) {
        let mut stream = self.connect();
        let mut writer = stream.try_clone().expect("a second handle");
        let request =
            format!("{request} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        std::thread::scope(|scope| {
            scope.spawn(move || writer.write_all(request.as_bytes()).and_then(|()| writer.write_all(body)));
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("read");
            let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a head");
            let body = answer.split_off(end + 4);
            (String::from_utf8(answer).expect("text"), body)
        })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `test` on the host's stack and on our own.
fn on_both(test: impl Fn(&str)) {
    for net in ["--net=socket", "--net=user"] {
        eprintln!("{net}");
        test(net);
    }
}

/// The definition in the README, byte by byte.
fn stream(count: usize) -> Vec<u8> {
    let word = |n: usize| {
        let mut z = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    };
    let byte = |i: usize| {
        let place = (i + i / 65_536 * 25_717) % 65_536;
        word(place / 8).to_le_bytes()[place % 8]
    };
    (0..count).map(byte).collect()
}

#[test]
fn the_page_and_what_belongs_to_it_are_there() {
    on_both(|net| {
        let image = Image::new(net, &[]);
        let (head, body) = image.ask("GET /", b"");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\nDate: "), "{head}");
        assert_eq!(body, include_bytes!("../files/index.html"));
        for (path, kind) in
            [("/style.css", "text/css"), ("/favicon.svg", "image/svg+xml"), ("/stats.js", "text/javascript")]
        {
            let (head, _) = image.ask(&format!("GET {path}"), b"");
            assert!(head.starts_with("HTTP/1.1 200") && head.to_lowercase().contains(kind), "{path}: {head}");
        }
        assert!(image.ask("GET /../Cargo.toml", b"").0.starts_with("HTTP/1.1 404"));
        assert!(image.ask("GET /nothing", b"").0.starts_with("HTTP/1.1 404"));
        assert!(image.ask("DELETE /stats", b"").0.contains("\r\nAllow: GET, HEAD"));
    });
}

#[test]
fn the_counters_count() {
    on_both(|net| {
        let image = Image::new(net, &[]);
        let value = |name: &str| {
            let (_, body) = image.ask("GET /stats", b"");
            let text = String::from_utf8(body).expect("text");
            let (_, rest) = text.split_once(&format!("\"{name}\": ")).unwrap_or_else(|| panic!("{name} in {text}"));
            rest.split(|c: char| !c.is_ascii_digit()).next().expect("a number").parse::<u64>().expect("a number")
        };
        assert_eq!(value("http.requests"), 1);
        assert_eq!(value("http.requests"), 2);
        assert_eq!(value("tcp.accepted"), 3);
        assert!(value("tcp.connections") >= 1 && value("platform.tasks") >= 1);
    });
}

#[test]
fn bytes_are_those_of_the_definition() {
    on_both(|net| {
        let image = Image::new(net, &[]);
        for count in [0, 1, 65_535, 65_536, 65_537, 300_000] {
            let (head, body) = image.ask(&format!("GET /bytes/{count}"), b"");
            assert!(head.contains(&format!("Content-Length: {count}\r\n")), "{head}");
            assert!(body == stream(count), "{count}");
        }
        for nonsense in ["x", "+1", "1x", "99999999999999999999999"] {
            assert!(image.ask(&format!("GET /bytes/{nonsense}"), b"").0.starts_with("HTTP/1.1 400"), "{nonsense}");
        }
    });
}

#[test]
fn hashes_are_right_and_bodies_may_be_long() {
    on_both(|net| {
        let image = Image::new(net, &[]);
        for len in [0, 1, 5_000_000] {
            let body = stream(len);
            let expected: String = Sha256::digest(&body).iter().map(|byte| format!("{byte:02x}")).collect();
            let (head, answer) = image.ask("POST /sha256", &body);
            assert!(head.starts_with("HTTP/1.1 200"), "{head}");
            assert_eq!(String::from_utf8(answer).expect("text"), expected + "\n");
        }
    });
}

#[test]
fn requests_follow_each_other_on_one_connection() {
    on_both(|net| {
        let image = Image::new(net, &[]);
        let mut stream = image.connect();
        stream.write_all(&b"GET /bytes/10 HTTP/1.1\r\nHost: test\r\n\r\n".repeat(50)).expect("sent");
        let mut text = Vec::new();
        let mut buffer = [0; 4_096];
        while text.windows(15).filter(|bytes| bytes == b"HTTP/1.1 200 OK").count() < 50 {
            let len = stream.read(&mut buffer).expect("read");
            assert_ne!(len, 0, "the connection stays open");
            text.extend_from_slice(&buffer[..len]);
        }
    });
}

#[test]
fn a_peer_that_takes_endless_bytes_does_not_starve_the_others() {
    on_both(|net| {
        let image = Image::new(net, &[]);
        let mut greedy = image.connect();
        greedy.write_all(b"GET /bytes/1000000000000 HTTP/1.1\r\nHost: test\r\n\r\n").expect("sent");
        let mut reader = greedy.try_clone().expect("a second handle");
        let thread = std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 20];
            while matches!(reader.read(&mut buffer), Ok(1..)) {}
        });
        for _ in 0..20 {
            assert!(image.ask("GET /stats", b"").0.starts_with("HTTP/1.1 200"));
        }
        greedy.shutdown(std::net::Shutdown::Both).expect("shut");
        thread.join().expect("no panic");
    });
}

#[test]
fn beyond_the_bound_a_connection_waits() {
    on_both(|net| {
        let image = Image::new(net, &["--connections=1"]);
        let first = image.connect();
        let mut second = image.connect();
        second.write_all(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n").expect("sent");
        second.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
        assert!(second.read(&mut [0; 1]).is_err());
        drop(first);
        second.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        assert_eq!(second.read(&mut [0; 1]).expect("served at last"), 1);
    });
}
