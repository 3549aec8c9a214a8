//! The target spt on this machine's own kernel: without a tender's filter, but with all that a tender opens.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "std is there")]
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::io::{Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use mirage_solo5::{Abi, Error, Kind, Machine, Spt};
use rustix::event::epoll;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::time::{TimerfdClockId, TimerfdFlags, timerfd_create};

/// The information of a tender, as bytes.
struct Tender {
    /// In words, for its alignment.
    manifest: Vec<u64>,
    entries: u64,
}

impl Tender {
    fn new() -> Self {
        let mut tender = Self { manifest: vec![1], entries: 0 };
        tender.add("", 1 << 30, [0; 16], 0, false);
        tender
    }

    fn add(&mut self, name: &str, kind: u32, detail: [u8; 16], fd: i32, attached: bool) {
        let mut entry = name.as_bytes().to_vec();
        entry.resize(68, 0);
        entry.extend(kind.to_le_bytes());
        entry.extend(detail);
        entry.extend(fd.to_le_bytes());
        entry.resize(96, 0);
        entry.push(attached.into());
        entry.resize(104, 0);
        self.manifest.extend(entry.chunks(8).map(|word| u64::from_le_bytes(word.try_into().expect("8 bytes"))));
        self.entries += 1;
        self.manifest[0] = 1 | self.entries << 32;
    }

    /// The 40 bytes of the boot information. Never freed, as a machine's.
    fn information(self, line: &'static [u8], epoll: i32, timer: i32) -> *const u8 {
        let manifest = self.manifest.leak().as_ptr().expose_provenance() as u64;
        let descriptors = u64::from(epoll as u32) | u64::from(timer as u32) << 32;
        let words = vec![0x20_0000, 0x10_5000, line.as_ptr().expose_provenance() as u64, manifest, descriptors];
        words.leak().as_ptr().cast()
    }
}

fn net_detail(mac: [u8; 6], mtu: u16) -> [u8; 16] {
    let mut detail = [0; 16];
    detail[..6].copy_from_slice(&mac);
    detail[6..8].copy_from_slice(&mtu.to_le_bytes());
    detail
}

fn block_detail(capacity: u64, block_size: u16) -> [u8; 16] {
    let mut detail = [0; 16];
    detail[..8].copy_from_slice(&capacity.to_le_bytes());
    detail[8..10].copy_from_slice(&block_size.to_le_bytes());
    detail
}

fn cable() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::NONBLOCK, None).expect("a pair")
}

fn disk(content: &[u8]) -> std::fs::File {
    let path = std::env::temp_dir().join(format!("mirage-solo5-{}", std::process::id()));
    let mut file = std::fs::File::options().read(true).write(true).create_new(true).open(&path).expect("a file");
    std::fs::remove_file(path).expect("removed");
    file.write_all(content).expect("written");
    file
}

/// One machine, as there is one in a process: all in one test.
#[test]
fn a_machine_boots_waits_sends_receives_and_moves_blocks() {
    let epoll_fd = epoll::create(epoll::CreateFlags::empty()).expect("epoll");
    let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK).expect("a timer");
    let ((first, first_end), (second, second_end)) = (cable(), cable());
    let mut file = disk(&[b'.'; 4096]);
    let watch = |fd: &OwnedFd, data| {
        epoll::add(&epoll_fd, fd, epoll::EventData::new_u64(data), epoll::EventFlags::IN).expect("added");
    };
    watch(&timer, 0xffff_fffe);
    watch(&first, 1);
    watch(&second, 3);

    let mut tender = Tender::new();
    tender.add("service", 2, net_detail([2, 3, 4, 5, 6, 7], 1500), first.as_raw_fd(), true);
    tender.add("data", 1, block_detail(4096, 512), file.as_fd().as_raw_fd(), true);
    tender.add("service2", 2, net_detail([2, 0, 0, 0, 0, 9], 9000), second.as_raw_fd(), true);
    tender.add("absent", 2, net_detail([2; 6], 1500), -1, false);
    let information =
        tender.information("--greeting=h\u{e9}  there\0after".as_bytes(), epoll_fd.as_raw_fd(), timer.as_raw_fd());

    // SAFETY: it has the shape of a tender's and is never freed.
    let boot = unsafe { Spt::start(information) };
    assert_eq!(boot.command_line(), Ok("--greeting=h\u{e9}  there"));
    assert_eq!(boot.memory_end(), 0x20_0000);

    let devices = boot.devices();
    let (service, kind) = devices.find("service").expect("attached");
    assert_eq!((service.index(), kind), (1, Kind::Net { mac: [2, 3, 4, 5, 6, 7], mtu: 1500 }));
    let (service2, kind) = devices.find("service2").expect("attached");
    assert_eq!((service2.index(), kind), (3, Kind::Net { mac: [2, 0, 0, 0, 0, 9], mtu: 9000 }));
    let (data, kind) = devices.find("data").expect("attached");
    assert_eq!((data.index(), kind), (2, Kind::Block { capacity: 4096, block_size: 512 }));
    for name in ["absent", "", "servic", "service3"] {
        assert_eq!(devices.find(name), None, "{name:?}");
    }

    frames_go_both_ways_and_each_device_is_told_apart([&first_end, &second_end], [service, service2]);
    waits_end_when_they_shall(&first_end, service);
    blocks_are_read_and_written_one_by_one(&mut file, data);
    what_is_not_a_device_of_that_kind_is_refused(service, data);
    the_clocks_are_the_hosts();
    a_full_host_says_again(&first_end, service);
    the_other_end_goes(first_end, service);
    drop(Machine::<Spt>::new(&boot));
}

use mirage_solo5::Handle;

fn frames_go_both_ways_and_each_device_is_told_apart(ends: [&OwnedFd; 2], handles: [Handle; 2]) {
    let mut buffer = [0; 64];
    assert!(Spt::poll(0).is_empty());
    assert_eq!(Spt::net_read(handles[0], &mut buffer), Err(Error::Again));

    rustix::io::write(ends[1], b"for the second").expect("room");
    let ready = Spt::poll(u64::MAX);
    assert!(ready.contains(handles[1]) && !ready.contains(handles[0]));
    rustix::io::write(ends[0], b"for the first").expect("room");
    assert_eq!(Spt::poll(0).count(), 2, "both in one call");
    assert_eq!(Spt::net_read(handles[1], &mut buffer), Ok(14));
    assert_eq!(&buffer[..14], b"for the second");
    assert_eq!(Spt::net_read(handles[0], &mut buffer[..3]), Ok(3), "what does not fit is cut");
    assert!(Spt::poll(0).is_empty());

    Spt::net_write(handles[0], b"out").expect("room");
    assert_eq!(rustix::io::read(ends[0], &mut buffer).expect("a frame"), 3);
    assert_eq!(&buffer[..3], b"out");
}

fn waits_end_when_they_shall(end: &OwnedFd, handle: Handle) {
    let wait = |span: u64| {
        let before = Spt::monotonic();
        let ready = Spt::poll(before + span);
        (ready, Spt::monotonic() - before)
    };
    const MILLISECOND: u64 = 1_000_000;
    let early = |passed: u64, span: u64| passed < span;
    // Longer and longer, shorter and shorter: the timer is not always set anew.
    for span in [5, 20, 40, 20, 5, 1].map(|millis| millis * MILLISECOND) {
        let (ready, passed) = wait(span);
        assert!(ready.is_empty() && !early(passed, span), "{passed} ns of {span}");
    }
    // A frame ends a wait whose timer stays set; the next wait is longer than that timer.
    rustix::io::write(end, b"x").expect("room");
    let (ready, passed) = wait(30 * MILLISECOND);
    assert!(ready.contains(handle) && passed < 30 * MILLISECOND);
    Spt::net_read(handle, &mut [0; 8]).expect("a frame");
    let (ready, passed) = wait(60 * MILLISECOND);
    assert!(ready.is_empty() && !early(passed, 60 * MILLISECOND), "{passed}");
    // And one whose timer is set for later than the wait shall last.
    rustix::io::write(end, b"x").expect("room");
    let (ready, passed) = wait(10_000 * MILLISECOND);
    assert!(ready.contains(handle) && passed < 5_000 * MILLISECOND);
    Spt::net_read(handle, &mut [0; 8]).expect("a frame");
    let (ready, passed) = wait(MILLISECOND);
    assert!(ready.is_empty() && passed < 5_000 * MILLISECOND, "{passed}");
    let (_, passed) = wait(0);
    assert!(passed < 60 * MILLISECOND, "a deadline in the past only looks");
    assert!(Spt::poll(1).is_empty());
}

fn blocks_are_read_and_written_one_by_one(file: &mut std::fs::File, data: Handle) {
    let mut block = [0; 512];
    Spt::block_write(data, 3584, &[b'z'; 512]).expect("the last block");
    Spt::block_read(data, 3584, &mut block).expect("the last block");
    assert_eq!(block, [b'z'; 512]);
    Spt::block_read(data, 3072, &mut block).expect("the one before");
    assert_eq!(block, [b'.'; 512]);
    assert_eq!(file.seek(SeekFrom::End(0)).expect("its end"), 4096, "nothing was written behind it");
    for (offset, len) in [(4096, 512), (3585, 512), (u64::MAX, 512), (0, 511), (0, 1024), (0, 0), (u64::MAX - 511, 512)]
    {
        let mut buffer = vec![0; len];
        assert_eq!(Spt::block_read(data, offset, &mut buffer), Err(Error::Invalid), "{len} bytes at {offset}");
        assert_eq!(Spt::block_write(data, offset, &buffer), Err(Error::Invalid), "{len} bytes at {offset}");
    }
}

fn what_is_not_a_device_of_that_kind_is_refused(net: Handle, disk: Handle) {
    let mut block = [0; 512];
    for place in [0, disk.index(), 4, 5, 63] {
        let handle = Handle::new(place).expect("below 64");
        assert_eq!(Spt::net_read(handle, &mut block), Err(Error::Invalid), "{place}");
        assert_eq!(Spt::net_write(handle, &block), Err(Error::Invalid), "{place}");
    }
    for place in [0, net.index(), 4, 5, 63] {
        let handle = Handle::new(place).expect("below 64");
        assert_eq!(Spt::block_read(handle, 0, &mut block), Err(Error::Invalid), "{place}");
        assert_eq!(Spt::block_write(handle, 0, &block), Err(Error::Invalid), "{place}");
    }
}

fn the_clocks_are_the_hosts() {
    mirage_clock::testing::examine_monotonic(&mirage_solo5::MonotonicClock::<Spt>::new());
    mirage_clock::testing::examine_wall(&mirage_solo5::WallClock::<Spt>::new());
    let host = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let ours = Duration::from_nanos(Spt::wall().expect("the host has one"));
    assert!(ours.abs_diff(host) < Duration::from_secs(60), "{ours:?} and {host:?}");
    let (before, start) = (Spt::monotonic(), Instant::now());
    std::thread::sleep(Duration::from_millis(2));
    let (ours, host) = (Duration::from_nanos(Spt::monotonic() - before), start.elapsed());
    assert!(ours.abs_diff(host) < Duration::from_secs(1) && ours >= Duration::from_millis(2));
}

fn a_full_host_says_again(end: &OwnedFd, handle: Handle) {
    let sent = (0..100_000).take_while(|_| Spt::net_write(handle, &[7; 1000]) == Ok(())).count();
    assert!(sent < 100_000, "a cable without an end");
    assert_eq!(Spt::net_write(handle, &[7; 1000]), Err(Error::Again));
    while rustix::io::read(end, &mut [0; 2000]).is_ok() {}
    assert_eq!(Spt::net_write(handle, &[7; 1000]), Ok(()));
    rustix::io::read(end, &mut [0; 2000]).expect("a frame");
}

fn the_other_end_goes(end: OwnedFd, handle: Handle) {
    drop(end);
    assert_eq!(Spt::net_read(handle, &mut [0; 64]), Err(Error::Unspecified));
    assert_eq!(Spt::net_write(handle, b"x"), Err(Error::Unspecified));
}
