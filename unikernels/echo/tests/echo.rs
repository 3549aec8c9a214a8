//! The image as a process, on the host's stack and on our own behind its gateway, asked by the standard library's
//! sockets.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Image {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    /// Echo, discard, chargen; echo and discard on datagrams.
    places: Vec<SocketAddr>,
}

/// The image on ports that the host chose.
fn image(net: &str, arguments: &[&str]) -> Image {
    let mut child = Command::new(env!("CARGO_BIN_EXE_echo"))
        .args([net, "--forward=0:7", "--forward=udp:0:7", "--forward=0:9", "--forward=udp:0:9", "--forward=0:19"])
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let place = |_| {
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        line.trim().rsplit(' ').next().expect("a word").parse().expect(&line)
    };
    let places = (0..5).map(place).collect();
    Image { child, output, places }
}

/// Runs `test` on the host's stack and on our own.
fn on_both(test: impl Fn(&str)) {
    for net in ["--net=socket", "--net=user"] {
        eprintln!("{net}");
        test(net);
    }
}

impl Image {
    fn connect(&self, service: usize) -> TcpStream {
        let stream = TcpStream::connect(self.places[service]).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        stream
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn megabytes_come_back_and_the_end_is_answered() {
    on_both(|net| {
        let image = image(net, &[]);
        let mut stream = image.connect(0);
        let data: Vec<u8> = (0..2_000_000_u32).map(|i| (i % 251) as u8).collect();
        let mut writer = stream.try_clone().expect("a second handle");
        let sent = data.clone();
        let thread = std::thread::spawn(move || {
            writer.write_all(&sent).expect("sent");
            writer.shutdown(Shutdown::Write).expect("ended");
        });
        let mut back = Vec::new();
        stream.read_to_end(&mut back).expect("read");
        thread.join().expect("no panic");
        assert!(back == data);
    });
}

#[test]
fn three_hundred_connections_are_served_at_once() {
    on_both(|net| {
        let image = image(net, &[]);
        let mut streams: Vec<_> = (0..300).map(|_| image.connect(0)).collect();
        for (number, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&(number as u32).to_be_bytes()).expect("sent");
        }
        for (number, stream) in streams.iter_mut().enumerate().rev() {
            let mut back = [0; 4];
            stream.read_exact(&mut back).expect("read");
            assert_eq!(u32::from_be_bytes(back), number as u32);
        }
    });
}

#[test]
fn beyond_the_bound_a_connection_waits_until_another_ends() {
    on_both(|net| {
        let image = image(net, &["--connections=2"]);
        // One after the other: connections that are opened at once may be accepted in any order.
        let serve = |stream: &mut TcpStream| {
            stream.write_all(b"x").expect("sent");
            stream.read_exact(&mut [0]).expect("served");
        };
        let (mut first, mut second) = (image.connect(0), image.connect(0));
        serve(&mut first);
        serve(&mut second);
        let mut third = image.connect(0);
        third.write_all(b"three").expect("sent");
        third.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
        assert!(third.read(&mut [0; 5]).is_err(), "no permit is free");
        drop(first);
        third.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        let mut back = [0; 5];
        third.read_exact(&mut back).expect("served at last");
        assert_eq!(&back, b"three");
    });
}

#[test]
fn what_is_discarded_does_not_come_back() {
    on_both(|net| {
        let image = image(net, &[]);
        let mut stream = image.connect(1);
        stream.write_all(&[1; 1_000_000]).expect("sent");
        stream.shutdown(Shutdown::Write).expect("ended");
        let mut back = Vec::new();
        stream.read_to_end(&mut back).expect("an orderly end");
        assert!(back.is_empty());
    });
}

#[test]
fn discarded_datagrams_do_not_come_back() {
    on_both(|net| {
        let image = image(net, &[]);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_millis(300))).expect("set");
        socket.send_to(b"nothing", image.places[4]).expect("sent");
        assert!(socket.recv(&mut [0; 16]).is_err());
        // The socket takes on: the other service still answers.
        socket.send_to(b"echo", image.places[3]).expect("sent");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        assert_eq!(socket.recv(&mut [0; 16]).expect("an answer"), 4);
    });
}

#[test]
fn characters_come_without_end_and_repeat() {
    on_both(|net| {
        let image = image(net, &[]);
        let mut stream = image.connect(2);
        let mut lines = vec![0; 2 * 95 * 74];
        stream.read_exact(&mut lines).expect("read");
        let (once, again) = lines.split_at(95 * 74);
        assert_eq!(once, again);
        assert!(once.starts_with(b" !\"#"));
    });
}

#[test]
fn a_datagram_comes_back_whole() {
    on_both(|net| {
        let image = image(net, &[]);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        for len in [0, 1, 1_472, 9_000, 60_000] {
            let sent = vec![len as u8; len];
            socket.send_to(&sent, image.places[3]).expect("sent");
            let mut back = vec![0; 65_535];
            let (received, from) = socket.recv_from(&mut back).expect("received");
            assert_eq!(from, image.places[3]);
            assert!(back[..received] == sent);
        }
    });
}

#[test]
fn sigterm_ends_it_cleanly_though_connections_are_open() {
    on_both(|net| {
        let mut image = image(net, &[]);
        let _open = image.connect(0);
        let kill = Command::new("kill").arg(image.child.id().to_string()).status().expect("there is a kill");
        assert!(kill.success());
        assert_eq!(image.child.wait().expect("it ends").code(), Some(0));
        let mut rest = String::new();
        image.output.read_to_string(&mut rest).expect("the rest");
        assert_eq!(rest, "echo: stopped by SIGTERM\n");
    });
}

#[test]
fn a_taken_port_is_told_and_ends_with_1() {
    on_both(|net| {
        let first = image(net, &[]);
        let taken = format!("--forward={}:9", first.places[1].port());
        let output = Command::new(env!("CARGO_BIN_EXE_echo"))
            .args([net, "--forward=0:7", "--forward=udp:0:7", "--forward=0:19", &taken])
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(text.contains("in use"), "{text}");
    });
}
