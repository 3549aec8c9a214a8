#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "unix"), no_std, no_main)]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use disk::{Failure, Note, fill, read_note, refusals, verify};
use mirage_block::Block as _;
use mirage_platform::{About, App, Argument, Arguments, BadArgument, Context, Device, Exit, Local};

const INFO: Argument = Argument::flag("info", "says what the disk is");
const WRITE: Argument = Argument::list("write", "SECTOR:TEXT", "writes a text into a sector");
const CHECK: Argument =
    Argument::flag("check", "overwrites the whole disk, reads it back, and asks for the impossible");
const VERIFY: Argument = Argument::flag("verify", "compares the whole disk with what --check wrote");
const SEED: Argument = Argument::value("seed", "NUMBER", "what --check writes").or("1");
const READ: Argument = Argument::list("read", "SECTOR", "prints the text in a sector");

const DATA: Device = Device::block("data");

/// What was asked for.
struct Disk {
    info: bool,
    write: Vec<Note>,
    check: bool,
    verify: bool,
    seed: u64,
    read: Vec<u64>,
}

impl App for Disk {
    const ABOUT: About =
        About { name: "disk", version: env!("CARGO_PKG_VERSION"), summary: "checks a block device and ends" };
    const ARGUMENTS: &'static [Argument] = &[INFO, WRITE, CHECK, VERIFY, SEED, READ];
    const DEVICES: &'static [Device] = &[DATA];

    fn new(arguments: &Arguments) -> Result<Self, BadArgument> {
        let asked = [WRITE, CHECK, VERIFY, READ].iter().any(|argument| arguments.flag(argument));
        Ok(Self {
            info: arguments.flag(&INFO) || !asked,
            write: arguments.all(&WRITE)?,
            check: arguments.flag(&CHECK),
            verify: arguments.flag(&VERIFY),
            seed: arguments.require(&SEED)?,
            read: arguments.all(&READ)?,
        })
    }
}

impl Local for Disk {
    async fn run(self, context: Context) -> Exit {
        let say = |line: &str| context.print(&format!("disk: {line}"));
        let mut disk = match context.disk(DATA.name) {
            Ok(disk) => disk,
            Err(error) => {
                say(&format!("{}: {error}", DATA.name));
                return Exit::FAILURE;
            }
        };
        match self.examine(&mut disk, say).await {
            Ok(()) => Exit::SUCCESS,
            Err(failure) => {
                say(&failure.to_string());
                Exit::FAILURE
            }
        }
    }
}

impl Disk {
    async fn examine(&self, disk: &mut mirage_platform::Disk, say: impl Fn(&str)) -> Result<(), Failure> {
        let info = disk.info();
        if self.info {
            let read_only = if info.read_only { ", read-only" } else { "" };
            say(&format!("{} sectors of {} bytes{read_only}", info.sectors, info.sector_size));
        }
        for note in &self.write {
            note.write(disk).await?;
            let flushed = flush(disk).await?;
            say(&format!("wrote {} bytes into sector {}, {flushed}", note.text.len(), note.sector));
        }
        if self.check {
            fill(disk, self.seed).await?;
            let flushed = flush(disk).await?;
            say(&format!("wrote {} sectors, {flushed}", info.sectors));
        }
        if self.check || self.verify {
            verify(disk, self.seed).await?;
            say(&format!("read {} sectors, each as it was written", info.sectors));
        }
        if self.check {
            refusals(disk).await?;
            verify(disk, self.seed).await?;
            say("refused what lies past the end and what is no whole sector");
        }
        for sector in &self.read {
            let text = read_note(disk, *sector).await?;
            say(&format!("sector {sector}: {}", shown(&text)));
        }
        Ok(())
    }
}

async fn flush(disk: &mut mirage_platform::Disk) -> Result<&'static str, Failure> {
    match disk.flush().await {
        None => Ok("the device cannot flush"),
        Some(Ok(())) => Ok("flushed"),
        Some(Err(error)) => Err(Failure::request("flush", 0, &error)),
    }
}

/// The text on one line, whatever is in it.
fn shown(text: &[u8]) -> String {
    text.escape_ascii().to_string()
}

mirage_platform::main!(Disk: Local);
