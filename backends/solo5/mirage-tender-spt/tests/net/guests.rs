//! The guests, and what is expected of each.

use std::io::{Read, stdin};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

use mirage_tender_spt::{Image, Launch, LaunchError, Net};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socketpair};

use crate::assembly::guest;
use crate::common;

const SIGSYS: i32 = 31;
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 7];

guest! {
    /// Sends its address and MTU as the manifest says, waits for a frame, sends it back and exits with the handle by which
    /// the epoll set told of it.
    echoes:
    "mov r12, rdi"
    "mov r13, [rdi + 24]"
    "add r13, 112"
    "sub rsp, 2048"
    "mov eax, 1"
    "mov edi, [r13 + 88]"
    "lea rsi, [r13 + 72]"
    "mov edx, 8"
    "syscall"
    "mov eax, 281"
    "mov edi, [r12 + 32]"
    "mov rsi, rsp"
    "mov edx, 1"
    "mov r10, -1"
    "xor r8d, r8d"
    "syscall"
    "mov r14d, [rsp + 4]"
    "xor eax, eax"
    "mov edi, [r13 + 88]"
    "mov rsi, rsp"
    "mov edx, 2048"
    "syscall"
    "mov rdx, rax"
    "mov eax, 1"
    "mov edi, [r13 + 88]"
    "mov rsi, rsp"
    "syscall"
    "mov eax, 231"
    "mov edi, r14d"
    "syscall"
}

guest! {
    /// Reads when nothing is there, and exits with the error's number.
    reads_nothing:
    "mov r13, [rdi + 24]"
    "xor eax, eax"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 2048]"
    "mov edx, 1514"
    "syscall"
    "neg eax"
    "mov edi, eax"
    "mov eax, 231"
    "syscall"
}

guest! { reads_its_network_at_an_offset:
    "mov r13, [rdi + 24]"
    "mov eax, 17"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 2048]"
    "mov edx, 512"
    "xor r10d, r10d"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { waits_in_another_set:
    "mov r13, [rdi + 24]"
    "mov eax, 281"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 2048]"
    "mov edx, 1"
    "xor r10d, r10d"
    "xor r8d, r8d"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

pub(super) fn main() {
    let guests = [
        ("echoes", echoes()),
        ("reads nothing", reads_nothing()),
        ("reads at an offset", reads_its_network_at_an_offset()),
        ("waits in another set", waits_in_another_set()),
    ];
    if let Some(wanted) = std::env::var_os("MIRAGE_GUEST") {
        let (_, code) = guests.into_iter().find(|(name, _)| *name == wanted).expect("a guest's name");
        let error = become_guest(code);
        panic!("{error}");
    }
    for (name, test) in [
        ("a_guest_is_told_its_address_and_answers_frames", a_guest_is_told_its_address_and_answers_frames as fn()),
        ("a_guest_that_reads_too_early_is_told_to_wait", a_guest_that_reads_too_early_is_told_to_wait),
        ("a_guest_that_uses_its_network_otherwise_is_ended", a_guest_that_uses_its_network_otherwise_is_ended),
        ("a_process_of_two_threads_is_refused", a_process_of_two_threads_is_refused),
    ] {
        test();
        println!("test {name} ... ok");
    }
}

/// Makes this process a guest whose network is its standard input.
fn become_guest(code: &[u8]) -> LaunchError {
    let bytes = common::image(code, &["service"], &[]);
    let image = Image::parse(&bytes).expect("good");
    let fd = stdin().as_fd().try_clone_to_owned().expect("descriptors");
    let nets = vec![("service".to_owned(), Net { fd, mac: MAC, mtu: 1500 })];
    let launch = Launch { image: &image, memory: 2 << 20, command_line: "", nets, blocks: Vec::new() };
    let Err(error) = launch.run();
    error
}

/// A guest, and the other end of its network.
fn start(name: &str) -> (Child, OwnedFd) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (near, far) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).expect("descriptors");
    let this = std::env::current_exe().expect("the test knows its file");
    let mut command = Command::new(this);
    command.env("MIRAGE_GUEST", name).stdin(near).stdout(Stdio::piped());
    (command.spawn().expect("it starts"), far)
}

/// The next frame that the guest sends.
fn frame(end: &OwnedFd) -> Vec<u8> {
    let mut buffer = [0; 2048];
    for _ in 0..5_000 {
        if let Ok((len, _)) = recv(end, &mut buffer, RecvFlags::empty()) {
            return buffer[..len].to_vec();
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("no frame came");
}

fn a_guest_is_told_its_address_and_answers_frames() {
    let (mut guest, end) = start("echoes");
    assert_eq!(frame(&end), [&MAC[..], &1500_u16.to_le_bytes()].concat());
    send(&end, &[9; 1514], SendFlags::empty()).expect("room");
    assert_eq!(frame(&end), [9; 1514]);
    assert_eq!(guest.wait().expect("it ends").code(), Some(1));
    assert!(frame(&end).is_empty(), "nobody else has the other end");
}

fn a_guest_that_reads_too_early_is_told_to_wait() {
    let (mut guest, _end) = start("reads nothing");
    assert_eq!(guest.wait().expect("it ends").code(), Some(rustix::io::Errno::AGAIN.raw_os_error()));
}

fn a_guest_that_uses_its_network_otherwise_is_ended() {
    for name in ["reads at an offset", "waits in another set"] {
        let (mut guest, _end) = start(name);
        let mut said = String::new();
        guest.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!(guest.wait().expect("it ends").signal(), Some(SIGSYS), "{name}: {said}");
    }
}

fn a_process_of_two_threads_is_refused() {
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || stopped.recv());
    assert!(matches!(become_guest(echoes()), LaunchError::Threads));
    drop(stop);
    assert!(other.join().expect("no panic").is_err());
}
