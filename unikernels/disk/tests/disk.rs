//! The image as a process: what it prints and how it ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file of zeros that is there as long as its test.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, bytes: u64) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("disk-{}-{name}", std::process::id()));
        std::fs::File::create(&path).and_then(|file| file.set_len(bytes)).expect("a file can be made");
        Self(path)
    }

    fn block(&self, options: &str) -> String {
        format!("--block=data={}{options}", self.0.display())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn disk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_disk")).args(arguments).output().expect("it starts")
}

fn text(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).expect("text")
}

/// What it prints when all is well.
fn said(arguments: &[&str]) -> String {
    let output = disk(arguments);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{}", text(&output.stdout));
    text(&output.stdout).to_owned()
}

#[test]
fn a_text_is_there_after_a_restart() {
    let file = Temporary::new("text", 1 << 20);
    let block = file.block("");
    let wrote = said(&[&block, "--write=3:Good morning", "--write=2047:\u{fc}"]);
    assert_eq!(wrote, "disk: wrote 12 bytes into sector 3, flushed\ndisk: wrote 2 bytes into sector 2047, flushed\n");
    let read = said(&[&block, "--read=3", "--read=4", "--read=2047"]);
    assert_eq!(read, "disk: sector 3: Good morning\ndisk: sector 4: \ndisk: sector 2047: \\xc3\\xbc\n");
    assert_eq!(std::fs::read(&file.0).unwrap()[3 * 512..][..14], *b"Good morning\0\0");
}

#[test]
fn a_whole_disk_is_checked_and_verified_after_a_restart() {
    for (name, options, sectors) in [("512", "", 2048), ("4096", ",sector=4096", 256)] {
        let file = Temporary::new(name, 1 << 20);
        let block = file.block(options);
        let checked = said(&[&block, "--check", "--seed=7"]);
        assert_eq!(
            checked,
            format!(
                "disk: wrote {sectors} sectors, flushed\ndisk: read {sectors} sectors, each as it was written\n\
                 disk: refused what lies past the end and what is no whole sector\n"
            )
        );
        said(&[&block, "--verify", "--seed=7"]);
        let output = disk(&[&block, "--verify", "--seed=8"]);
        assert_eq!(text(&output.stdout), "disk: sector 0 does not hold what was written\n");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn it_says_what_the_disk_is() {
    let file = Temporary::new("info", 12_288);
    assert_eq!(said(&[&file.block("")]), "disk: 24 sectors of 512 bytes\n");
    let read_only = said(&[&file.block(",sector=4096,read-only"), "--info"]);
    assert_eq!(read_only, "disk: 3 sectors of 4096 bytes, read-only\n");
}

#[test]
fn what_cannot_be_done_ends_with_1_and_one_line() {
    let file = Temporary::new("failures", 4096);
    let block = file.block("");
    let long = format!("--write=0:{}", "x".repeat(513));
    let cases = [
        (&*block, "--read=8", "disk: read at sector 8: past the end of the device\n"),
        (
            &block,
            "--write=18446744073709551615:x",
            "disk: write at sector 18446744073709551615: past the end of the device\n",
        ),
        (&block, &long, "disk: the text does not fit a sector of 512 bytes\n"),
        (&file.block(",read-only"), "--check", "disk: write at sector 0: the device is read-only\n"),
    ];
    for (block, argument, line) in cases {
        let output = disk(&[block, argument]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), line));
    }
}

#[test]
fn a_disk_that_is_none_ends_with_1_before_anything_starts() {
    let crooked = Temporary::new("crooked", 4095);
    for path in [&*crooked.0, Path::new("/no/such/disk"), Path::new(env!("CARGO_TARGET_TMPDIR"))] {
        let output = disk(&[&format!("--block=data={}", path.display())]);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
        let line = format!("disk: {}: ", path.display());
        assert!(text(&output.stderr).starts_with(&line), "{}", text(&output.stderr));
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
}

#[test]
fn a_bad_argument_ends_with_64_and_one_line() {
    let file = Temporary::new("arguments", 4096);
    let block = file.block("");
    let cases: [&[&str]; 6] = [
        &[],
        &["--block=data"],
        &[&block, &block],
        &["--block=date=x"],
        &[&block, "--write=x"],
        &[&block, "--read=-1"],
    ];
    for arguments in cases {
        let output = disk(arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), ""), "{arguments:?}");
        assert_eq!(text(&output.stderr).lines().count(), 1);
    }
    assert!(text(&disk(&["--help"]).stdout).contains("--block=NAME=PATH[,sector=BYTES][,read-only]"));
}
