//! Small guests in machine code, each in a process of its own.

#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a test on a host with std")]

#[path = "common/assembly.rs"]
mod assembly;
mod common;

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use assembly::guest;

const SIGSEGV: i32 = 11;
const SIGSYS: i32 = 31;

/// A file that goes when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new(bytes: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("mirage-guest-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).expect("a temporary file");
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The tender with `options`, to be run with an image.
fn tender(options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mirage-spt"));
    command.arg("--mem=2").args(options).stdin(Stdio::null());
    command
}

fn run(code: &[u8]) -> Output {
    let image = Temporary::new(&common::image(code, &[], &[]));
    tender(&[]).arg(&image.0).output().expect("it starts")
}

guest! { hello:
    "mov eax, 1"
    "mov edi, 1"
    "lea rsi, [rip + 2f]"
    "mov edx, 2"
    "syscall"
    "mov eax, 231"
    "mov edi, 7"
    "syscall"
    "2: .ascii \"hi\""
}

#[test]
fn a_guest_prints_and_exits_with_its_code() {
    let output = run(hello());
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"hi"[..], Some(7)), "{output:?}");
}

guest! {
    /// Prints the command line.
    arguments:
    "mov rsi, [rdi + 16]"
    "xor edx, edx"
    "2: cmp byte ptr [rsi + rdx], 0"
    "je 3f"
    "inc rdx"
    "jmp 2b"
    "3: mov eax, 1"
    "mov edi, 1"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

#[test]
fn a_guest_reads_its_command_line() {
    let image = Temporary::new(&common::image(arguments(), &[], &[]));
    let output = tender(&["--"]).arg(&image.0).args(["--port=80", "x y", "z"]).output().expect("it starts");
    assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"--port=80 x y z"[..], Some(0)), "{output:?}");
}

guest! {
    /// Prints the first 40 bytes of the boot information, its own stack pointer and what is in its data.
    boot:
    "sub rsp, 64"
    "mov rsi, rdi"
    "mov rdi, rsp"
    "mov ecx, 40"
    "rep movsb"
    "lea rax, [rsp + 64]"
    "mov [rsp + 40], rax"
    "mov rax, [0x102000]"
    "mov [rsp + 48], rax"
    "mov eax, 1"
    "mov edi, 1"
    "mov rsi, rsp"
    "mov edx, 56"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

#[test]
fn a_guest_is_told_its_memory_and_where_its_image_ends() {
    let output = run(boot());
    let number = |at: usize| u64::from_le_bytes(output.stdout[at..at + 8].try_into().expect("eight"));
    assert_eq!([number(0), number(8)], [2 << 20, common::DATA + 0x1000], "{output:?}");
    assert_eq!([number(16), number(24)], [0x1_1028 + 112, 0x1_1028]);
    assert_eq!(number(40), (2 << 20) - 8);
    assert_eq!(number(48), u64::from(b'd'));
}

guest! {
    /// Sleeps for 30 ms by the timer, and exits with the lowest byte of what the epoll set said.
    sleep:
    "mov r12, rdi"
    "sub rsp, 64"
    "mov eax, 228"
    "mov edi, 1"
    "lea rsi, [rsp + 16]"
    "syscall"
    "mov qword ptr [rsp], 0"
    "mov qword ptr [rsp + 8], 0"
    "add qword ptr [rsp + 24], 30000000"
    "cmp qword ptr [rsp + 24], 1000000000"
    "jl 2f"
    "sub qword ptr [rsp + 24], 1000000000"
    "inc qword ptr [rsp + 16]"
    "2: mov eax, 286"
    "mov edi, [r12 + 36]"
    "mov esi, 1"
    "mov rdx, rsp"
    "xor r10d, r10d"
    "syscall"
    "mov eax, 281"
    "mov edi, [r12 + 32]"
    "lea rsi, [rsp + 40]"
    "mov edx, 1"
    "mov r10, -1"
    "xor r8d, r8d"
    "syscall"
    "movzx edi, byte ptr [rsp + 44]"
    "mov eax, 231"
    "syscall"
}

#[test]
fn a_guest_sleeps_by_its_timer() {
    let start = std::time::Instant::now();
    let output = run(sleep());
    assert_eq!(output.status.code(), Some(0xfe), "{output:?}");
    assert!(start.elapsed().as_millis() >= 30);
}

guest! { opens_a_file:
    "mov eax, 2"
    "lea rdi, [rip + 2f]"
    "xor esi, esi"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
    "2: .asciz \"/etc/passwd\""
}

guest! { writes_to_standard_error:
    "mov eax, 1"
    "mov edi, 2"
    "mov rsi, rsp"
    "xor edx, edx"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { reads_standard_input:
    "xor eax, eax"
    "xor edi, edi"
    "mov rsi, rsp"
    "mov edx, 1"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { makes_a_socket:
    "mov eax, 41"
    "mov edi, 1"
    "mov esi, 1"
    "xor edx, edx"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { makes_its_memory_executable:
    "mov eax, 10"
    "mov edi, 0x102000"
    "mov esi, 4096"
    "mov edx, 7"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! {
    /// `arch_prctl` with another code than the one that is allowed.
    asks_for_its_thread_pointer:
    "mov eax, 158"
    "mov edi, 0x1003"
    "mov rsi, rsp"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! {
    /// Opens a file by the calls of 32-bit programs.
    uses_old_calls:
    "mov eax, 5"
    "mov ebx, 0x102000"
    "xor ecx, ecx"
    "int 0x80"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

#[test]
fn a_guest_that_asks_for_more_is_ended() {
    let guests = [
        opens_a_file(),
        writes_to_standard_error(),
        reads_standard_input(),
        makes_a_socket(),
        makes_its_memory_executable(),
        asks_for_its_thread_pointer(),
        uses_old_calls(),
    ];
    for (index, code) in guests.into_iter().enumerate() {
        let output = run(code);
        assert_eq!(output.status.signal(), Some(SIGSYS), "{index}: {output:?}");
    }
}

guest! { writes_to_its_code:
    "lea rax, [rip]"
    "mov [rax], rax"
}

guest! { writes_to_its_data:
    "mov byte ptr [0x102000], 1"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { runs_its_data:
    "mov eax, 0x102000"
    "jmp rax"
}

guest! { runs_its_stack:
    "mov byte ptr [rsp - 8], 0xc3"
    "lea rax, [rsp - 8]"
    "call rax"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { reads_the_zero_page:
    "xor eax, eax"
    "mov rax, [rax]"
}

#[test]
fn a_guest_that_breaks_its_memory_dies_of_it() {
    for (index, code) in
        [writes_to_its_code(), runs_its_data(), runs_its_stack(), reads_the_zero_page()].into_iter().enumerate()
    {
        let output = run(code);
        assert_eq!(output.status.signal(), Some(SIGSEGV), "{index}: {output:?}");
    }
}

guest! {
    /// Prints a dot and waits for ever.
    waits:
    "mov r12, rdi"
    "mov eax, 1"
    "mov edi, 1"
    "lea rsi, [rip + 2f]"
    "mov edx, 1"
    "syscall"
    "mov eax, 281"
    "mov edi, [r12 + 32]"
    "lea rsi, [rsp - 64]"
    "mov edx, 1"
    "mov r10, -1"
    "xor r8d, r8d"
    "syscall"
    "2: .ascii \".\""
}

#[test]
fn a_guest_holds_nothing_but_what_it_was_given() {
    let image = Temporary::new(&common::image(waits(), &[], &["disk"]));
    let disk = Temporary::new(&[0; 1024]);
    let option = format!("--block:disk={}", disk.0.display());
    let mut child = tender(&[&option]).arg(&image.0).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut dot = [0];
    child.stdout.take().expect("piped").read_exact(&mut dot).expect("it prints");

    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let descriptors = fs::read_dir(process.join("fd")).expect("proc");
    let names =
        descriptors.map(|entry| fs::read_link(entry.expect("one").path()).expect("a link").display().to_string());
    let mut names: Vec<_> = names.collect();
    names.sort_by_key(|name| name.starts_with('/'));
    let status = fs::read_to_string(process.join("status")).expect("proc");

    // A second guest cannot have the same disk.
    let other = Temporary::new(&common::image(hello(), &[], &["disk"]));
    let second = tender(&[&option]).arg(&other.0).output().expect("it starts");

    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(names[3], disk.0.display().to_string());
    assert!(names.iter().any(|name| name.contains("eventpoll")) && names.iter().any(|name| name.contains("timerfd")));
    assert!(status.contains("NoNewPrivs:\t1\n") && status.contains("Seccomp:\t2\n"), "{status}");
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another guest has it"), "{second:?}");
}

guest! {
    /// Reads the second block of its disk, writes it to the first, prints capacity, block size and the block.
    copies_a_block:
    "mov r13, [rdi + 24]"
    "add r13, 112"
    "sub rsp, 4096"
    "mov eax, 17"
    "mov edi, [r13 + 88]"
    "lea rsi, [rsp + 16]"
    "mov edx, 512"
    "mov r10d, 512"
    "syscall"
    "mov eax, 18"
    "mov edi, [r13 + 88]"
    "lea rsi, [rsp + 16]"
    "mov edx, 512"
    "xor r10d, r10d"
    "syscall"
    "mov rax, [r13 + 72]"
    "mov [rsp], rax"
    "movzx eax, word ptr [r13 + 80]"
    "mov [rsp + 8], rax"
    "mov eax, 1"
    "mov edi, 1"
    "mov rsi, rsp"
    "mov edx, 528"
    "syscall"
    "movzx edi, byte ptr [r13 + 96]"
    "mov eax, 231"
    "syscall"
}

guest! { reads_a_part_of_a_block:
    "mov r13, [rdi + 24]"
    "mov eax, 17"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 1024]"
    "mov edx, 511"
    "xor r10d, r10d"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { reads_beyond_its_disk:
    "mov r13, [rdi + 24]"
    "mov eax, 17"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 1024]"
    "mov edx, 512"
    "mov r10d, 513"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { writes_before_its_disk:
    "mov r13, [rdi + 24]"
    "mov eax, 18"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 1024]"
    "mov edx, 512"
    "mov r10, -512"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

guest! { writes_to_its_disk_without_an_offset:
    "mov r13, [rdi + 24]"
    "mov eax, 1"
    "mov edi, [r13 + 112 + 88]"
    "lea rsi, [rsp - 1024]"
    "mov edx, 512"
    "syscall"
    "mov eax, 231"
    "xor edi, edi"
    "syscall"
}

#[test]
fn a_guest_reads_and_writes_whole_blocks_of_its_disk() {
    let image = Temporary::new(&common::image(copies_a_block(), &[], &["disk"]));
    let disk = Temporary::new(&[[1_u8; 512], [2; 512]].concat());
    let option = format!("--block:disk={}", disk.0.display());
    let output = tender(&[&option]).arg(&image.0).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "it exits with whether the disk is attached: {output:?}");
    assert_eq!(output.stdout[..16], [1024_u64, 512].map(u64::to_le_bytes).concat());
    assert_eq!(output.stdout[16..], [2; 512]);
    assert_eq!(fs::read(&disk.0).expect("it is there"), [2; 1024]);
}

#[test]
fn a_guest_that_reaches_beyond_its_disk_is_ended() {
    let guests = [
        reads_a_part_of_a_block(),
        reads_beyond_its_disk(),
        writes_before_its_disk(),
        writes_to_its_disk_without_an_offset(),
    ];
    for (index, code) in guests.into_iter().enumerate() {
        let image = Temporary::new(&common::image(code, &[], &["disk"]));
        let disk = Temporary::new(&[0; 1024]);
        let option = format!("--block:disk={}", disk.0.display());
        let output = tender(&[&option]).arg(&image.0).output().expect("it starts");
        assert_eq!(output.status.signal(), Some(SIGSYS), "{index}: {output:?}");
    }
}

#[test]
fn data_that_is_to_be_read_only_is() {
    const FLAGS: usize = common::program_header(3) + 4;
    let mut image = common::image(writes_to_its_data(), &[], &[]);
    for (flags, code, signal) in [(6, Some(0), None), (4, None, Some(SIGSEGV))] {
        image[FLAGS] = flags;
        let output = tender(&[]).arg(&Temporary::new(&image).0).output().expect("it starts");
        assert_eq!((output.status.code(), output.status.signal()), (code, signal), "{flags}: {output:?}");
    }
}

/// What the tender says when it refuses.
fn refusal(options: &[&str], image: &[u8]) -> String {
    let image = Temporary::new(image);
    let output = tender(options).arg(&image.0).output().expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn what_does_not_fit_the_image_is_refused_in_words() {
    let with_net = common::image(hello(), &["service"], &[]);
    let with_disk = common::image(hello(), &[], &["disk"]);
    let plain = common::image(hello(), &[], &[]);
    let disk = Temporary::new(&[0; 1024]);
    let attach = format!("--block:disk={}", disk.0.display());
    let other = format!("--block:service={}", disk.0.display());

    assert!(refusal(&[], &with_net).contains("the image needs a network device \"service\""));
    assert!(refusal(&[&other], &with_net).contains("the image needs a network device \"service\""));
    assert!(refusal(&[&attach], &plain).contains("the image has no disk \"disk\""));
    assert!(refusal(&["--net:service=none0"], &with_net).contains("there is no such interface"));
    assert!(refusal(&["--block:disk=/nowhere"], &with_disk).contains("it cannot be opened"));
    assert!(refusal(&[&attach, "--block-sector-size:disk=1000"], &with_disk).contains("blocks have 512"));
    assert!(refusal(&[&attach, "--block-sector-size:disk=2048"], &with_disk).contains("not whole blocks"));
    assert!(refusal(&["--mem=1"], &plain).contains("memory must be"));
    assert!(refusal(&["--memory=1"], &plain).contains("is not understood"));
    assert!(refusal(&[], b"#!/bin/sh").contains("not a 64-bit little-endian ELF file"));
}

#[test]
fn a_disk_given_twice_is_refused() {
    let image = common::image(hello(), &[], &["disk"]);
    let (one, two) = (Temporary::new(&[0; 512]), Temporary::new(&[0; 512]));
    let options = [&one, &two].map(|file| format!("--block:disk={}", file.0.display()));
    assert!(refusal(&[&options[0], &options[1]], &image).contains("attached twice"));
}

#[test]
fn a_command_line_too_long_for_its_page_is_refused() {
    let image = Temporary::new(&common::image(arguments(), &[], &[]));
    let longest = "x".repeat(8191);
    let output = tender(&[]).arg(&image.0).arg(&longest).output().expect("it starts");
    assert_eq!(output.stdout, longest.as_bytes(), "{:?}", output.stderr);
    let output = tender(&[]).arg(&image.0).arg(longest + "x").output().expect("it starts");
    assert_eq!(output.status.code(), Some(1));
}
