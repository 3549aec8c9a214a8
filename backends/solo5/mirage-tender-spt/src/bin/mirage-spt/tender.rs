//! The command line, and what it asks for.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use mirage_tender_spt::{Block, Image, Launch, Net};

const USAGE: &str = "usage: mirage-spt [OPTION...] [--] IMAGE [ARGUMENT...]
  --mem=MB                        memory, 512 if not said
  --net:NAME=INTERFACE            a tap device behind the network device NAME
  --net-mac:NAME=XX:XX:..         its hardware address, random if not said
  --block:NAME=PATH               a file behind the disk NAME
  --block-sector-size:NAME=BYTES  its block size, 512 if not said";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Options {
    /// Megabytes of 2²⁰ bytes.
    megabytes: usize,
    nets: Vec<(String, String)>,
    macs: BTreeMap<String, [u8; 6]>,
    blocks: Vec<(String, String)>,
    block_sizes: BTreeMap<String, u16>,
    image: String,
    arguments: Vec<String>,
}

pub(super) fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1).map(|argument| argument.into_string());
    let result = match arguments.collect::<Result<Vec<_>, _>>() {
        Ok(arguments) if arguments.iter().any(|argument| argument == "--help") => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Ok(arguments) => parse(arguments.into_iter()).and_then(|options| run(&options)),
        Err(_) => Err("arguments must be UTF-8".into()),
    };
    let Err(error) = result;
    eprintln!("mirage-spt: {error}");
    ExitCode::FAILURE
}

fn run(options: &Options) -> Result<core::convert::Infallible, String> {
    let bytes = std::fs::read(&options.image).map_err(|error| format!("{}: {error}", options.image))?;
    let image = Image::parse(&bytes).map_err(|error| format!("{}: {error}", options.image))?;
    let net = |(name, interface): &(String, String)| {
        let net = Net::tap(interface, options.macs.get(name).copied());
        net.map(|net| (name.clone(), net)).map_err(|error| format!("{interface}: {error}"))
    };
    let block = |(name, path): &(String, String)| {
        let size = options.block_sizes.get(name).copied().unwrap_or(Block::BLOCK_SIZE);
        let block = Block::open(Path::new(path), size);
        block.map(|block| (name.clone(), block)).map_err(|error| format!("{path}: {error}"))
    };
    let launch = Launch {
        image: &image,
        memory: options.megabytes << 20,
        command_line: &options.arguments.join(" "),
        nets: options.nets.iter().map(net).collect::<Result<_, _>>()?,
        blocks: options.blocks.iter().map(block).collect::<Result<_, _>>()?,
    };
    launch.run().map_err(|error| error.to_string())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        megabytes: 512,
        nets: Vec::new(),
        macs: BTreeMap::new(),
        blocks: Vec::new(),
        block_sizes: BTreeMap::new(),
        image: String::new(),
        arguments: Vec::new(),
    };
    let image = loop {
        let argument = arguments.next().ok_or(USAGE)?;
        if argument == "--" {
            break arguments.next().ok_or(USAGE)?;
        }
        if !argument.starts_with("--") {
            break argument;
        }
        option(&mut options, &argument).ok_or_else(|| format!("{argument} is not understood\n{USAGE}"))?;
    };
    Ok(Options { image, arguments: arguments.collect(), ..options })
}

/// Takes one option over; `None` if it is none.
fn option(options: &mut Options, argument: &str) -> Option<()> {
    let (key, value) = argument.split_once('=')?;
    if key == "--mem" {
        options.megabytes = value.parse().ok().filter(|megabytes| (1..1 << 27).contains(megabytes))?;
        return Some(());
    }
    let (key, name) = key.split_once(':')?;
    let name = name.to_owned();
    match key {
        "--net" => options.nets.push((name, value.to_owned())),
        "--net-mac" => _ = options.macs.insert(name, mac(value)?),
        "--block" => options.blocks.push((name, value.to_owned())),
        "--block-sector-size" => _ = options.block_sizes.insert(name, value.parse().ok()?),
        _ => return None,
    }
    Some(())
}

/// Six bytes in hexadecimal with colons between.
fn mac(text: &str) -> Option<[u8; 6]> {
    let byte = |digits: &str| u8::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2);
    let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
    bytes?.try_into().ok()
}
