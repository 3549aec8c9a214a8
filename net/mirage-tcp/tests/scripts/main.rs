//! Conversations with one machine, written down: each folder of `scripts/` is about one thing, each `.tcp` file in it is a
//! conversation. `README.md` beside this file explains the format.

#![allow(unreachable_pub, reason = "one program in several files")]

extern crate alloc;

mod number;
mod options;
mod play;
mod script;
mod segment;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use mirage_tcp::{Profile, Small, Standard};

/// Plays every conversation of a folder but those named, and fails with what went wrong in each.
fn folder<P: Profile>(name: &str, except: &[&str]) {
    let folder = folders().join(name);
    let mut files = scripts(&folder);
    files.retain(|file| !except.iter().any(|except| file.ends_with(except)));
    assert!(!files.is_empty(), "no script in {}", folder.display());
    let failures: Vec<String> = files
        .iter()
        .filter_map(|file| {
            let text = fs::read_to_string(file).expect("a script can be read");
            let place = file.strip_prefix(folders()).unwrap_or(file).display();
            play::play::<P>(&text).err().map(|failure| format!("{place}:{failure}"))
        })
        .collect();
    assert!(failures.is_empty(), "{} of {} scripts failed\n\n{}", failures.len(), files.len(), failures.join("\n\n"));
}

/// The scripts in a folder, in order.
fn scripts(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "tcp"))
        .collect();
    files.sort();
    files
}

fn folders() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/scripts")
}

macro_rules! folders {
    ($($name:ident)*) => {
        const FOLDERS: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { folder::<Standard>(stringify!($name), &[]); })*
    };
}

folders! {
    keepalive cookies pmtud rfc5961 zero_window simultaneous time_wait window_shrink fin delayed_ack nagle silly_window sack dsack rack tail timestamps undo
    limited_transmit ecn probing fast_open accurate records proportional unsent plain
}

#[test]
fn the_smallest_profile_does_all_that_it_does_not_leave_out() {
    for (name, except) in SMALL {
        folder::<Small>(name, except);
    }
}

/// What is played with the smallest profile, too, but for what that leaves out.
const SMALL: &[(&str, &[&str])] = &[
    ("keepalive", &[]),
    // What goes again has its boundaries anew.
    ("pmtud", &["before_router_mtu.tcp"]),
    ("rfc5961", &[]),
    ("zero_window", &[]),
    ("simultaneous", &[]),
    ("time_wait", &[]),
    ("window_shrink", &[]),
    ("fin", &[]),
    ("delayed_ack", &["out_of_order.tcp", "part_of_a_hole.tcp"]),
    ("nagle", &[]),
    ("silly_window", &[]),
    ("plain", &[]),
    ("limited_transmit", &["selective.tcp"]),
];

#[test]
fn every_folder_is_played() {
    for entry in fs::read_dir(folders()).expect("the folder can be read") {
        let entry = entry.expect("a folder can be read");
        if entry.path().is_dir() && !scripts(&entry.path()).is_empty() {
            let name = entry.file_name();
            assert!(FOLDERS.iter().any(|folder| **folder == *name), "{name:?} is played by nobody");
        }
    }
}

#[test]
fn a_failure_names_its_line_and_what_was_sent_instead() {
    let says = |text: &str| play::play::<Standard>(text).expect_err("the script is wrong");
    let opening = "listen\n< S 0:0 <mss 1460>\n";
    for (rest, expected) in [
        ("> S. 0:0 ack 2", "3: expected `S. 0:0 ack 2`, found `S. 0:0 ack 1"),
        ("> S. 0:0 ack 1 <mss 1400>", "<mss 1460>"),
        ("> S. 0:0 ack 1 win 7 <*>", "win 65535"),
        ("> . 0:0 ack 1 <*>", "3: expected `. 0:0 ack 1 <*>`"),
        ("+0.1 > S. 0:0 ack 1 <*>", "at +0.000000 instead of +0.100000"),
        ("+0.1 nothing", "3: before this, nobody expected `S. 0:0 ack 1"),
        ("> S. 0:0 ack 1 <*>\n> S. 0:0 ack 1 <*>", "4: expected `S. 0:0 ack 1 <*>`, and nothing was sent"),
        ("> S. 0:0 ack 1 <*>\naccept", "4: nobody waits to be accepted"),
        ("> S. 0:0 ack 1 <*>\n< . 1:1 ack 2 drop bad_reset", "4: dropped as `bad_ack` instead of `bad_reset`"),
        ("> S. 0:0 ack 1 <*>\n< . 1:1 ack 1\naccept\nread 5", "6: read: pending instead of 5 bytes"),
        ("> S. 0:0 ack 1 <*>\n< . 1:1 ack 1\naccept\nexpect cwnd 1", "6: cwnd is 14600"),
        ("> S. 0:0 ack 1 <*>\n< . 1:1 ack 1\naccept\nstate CloseWait", "6: the state is Some(Established)"),
        ("", "end: nobody expected `S. 0:0 ack 1"),
        ("> S. 0:0 ack 1 <*>\nnonsense", "4: no such line"),
    ] {
        let said = says(&format!("{opening}{rest}"));
        assert!(said.contains(expected), "{rest:?} said: {said}");
    }
}
