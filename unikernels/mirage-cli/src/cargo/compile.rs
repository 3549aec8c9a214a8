//! Compiling, with a bar that tells how far it is.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use cargo_metadata::Message;

use super::progress::Progress;
use super::{Job, Remap, Toolchain};
use crate::failure::{Failure, OrFail, Result};
use crate::target::Target;

/// Compiles `job`'s application and gives the program, with symbols. Says nothing if there is nothing to do.
///
/// # Errors
/// The compiler failed; what it says has been shown.
pub(crate) fn compile(job: &Job<'_>, toolchain: &Toolchain) -> Result<PathBuf> {
    let name = job.application.name();
    // As `cargo build`, but what follows `--` is for the program alone.
    let mut command = job.cargo("rustc");
    command.args(["--bin", name, "--profile", job.target.profile(), "--message-format", "json-render-diagnostics"]);
    command.arg("--target-dir").arg(job.project.target_folder(job.target));
    match job.target {
        // An ordinary build, which shares what others have built.
        Target::Unix => {}
        Target::Spt | Target::Hvt | Target::Virtio => {
            command.env("CARGO_ENCODED_RUSTFLAGS", flags(&Remap::new(job.project, toolchain)));
        }
    }
    let progress = Progress::new(job);
    if progress.is_bar() {
        command.args(["--color", "always"]).stderr(Stdio::piped());
    }
    if job.target != Target::Unix {
        command.arg("--").args(IMAGE);
        if toolchain.llvm == LLVM {
            command.args(FOR_LLVM.map(|option| format!("-Cllvm-args={option}")));
        }
    }
    let mut cargo = command.stdout(Stdio::piped()).spawn().or_fail(|| "cargo does not run".into())?;
    let said = cargo.stderr.take();
    let messages = cargo.stdout.take();
    let mut path = None;
    thread::scope(|scope| -> Result<()> {
        if let Some(said) = said {
            scope.spawn(|| {
                BufReader::new(said).lines().map_while(|line| line.ok()).for_each(|line| progress.say(&line));
            });
        }
        let Some(messages) = messages else { return Ok(()) };
        for message in Message::parse_stream(BufReader::new(messages)) {
            if let Message::CompilerArtifact(artifact) = message.or_fail(|| "cargo build".into())? {
                progress.step(&artifact.target.name, artifact.fresh);
                if artifact.target.is_bin() && artifact.target.name == name {
                    path = artifact.executable.map(PathBuf::from);
                }
            }
        }
        Ok(())
    })?;
    progress.end();
    let status = cargo.wait().or_fail(|| "cargo build".into())?;
    match path {
        _ if !status.success() => {
            Err(Failure::new(format!("{name} was not built for {}; cargo says why above", job.target)))
        }
        Some(path) => Ok(path),
        None => Err(Failure::new(format!("cargo built no program {name}; its package needs one of the same name"))),
    }
}

/// The flags of the environment, ours and those of `remap`, as cargo takes them.
fn flags(remap: &Remap) -> String {
    let given = |name: &str| std::env::var(name).unwrap_or_default();
    let encoded = given("CARGO_ENCODED_RUSTFLAGS");
    let plain = given("RUSTFLAGS");
    let given: Vec<&str> = match encoded.as_str() {
        "" => plain.split_whitespace().collect(),
        encoded => encoded.split(SEPARATOR).collect(),
    };
    let ours = remap.flags();
    given.into_iter().chain(SMALL).chain(ours.iter().map(String::as_str)).collect::<Vec<_>>().join(SEPARATOR)
}

/// For the compiler when it makes an image of all crates at once: an image lies where it was linked, so addresses are
/// numbers; and comparing is shorter than a table to jump by.
const IMAGE: [&str; 2] = ["-Crelocation-model=static", "-Cjump-tables=no"];

/// What its optimiser shall do and not do besides: blocks are laid out for size, and code is not doubled or moved for
/// speed; a little more is inlined than for size alone, for what is known of its arguments; and what several
/// functions have in common becomes a function. All of it is worth a tenth. (`-enable-ipra`, by which functions agree with their
/// callers on registers, would be worth a further sixtieth; LLVM does not trust it on x86, and nor do we.) These options are no
/// promise of anybody, so they are for the version that is known to have them.
const FOR_LLVM: [&str; 15] = [
    "-apply-ext-tsp-for-size",
    "-enable-pre=0",
    "-disable-licm-promotion",
    "-disable-machine-licm",
    "-x86-cmov-converter=0",
    "-split-spill-mode=size",
    "-disable-lsr",
    "-inline-threshold=15",
    "-inline-call-penalty=15",
    "-two-entry-phi-node-folding-threshold=1",
    "-join-splitedges=1",
    "-instcombine-code-sinking=0",
    "-enable-shrink-wrap=0",
    "-tail-merge-size=2",
    "-enable-machine-outliner=always",
];

/// The version: see [`FOR_LLVM`].
const LLVM: &str = "22";

/// For every crate of an image: of those that know a smaller way, that.
const SMALL: [&str; 3] =
    ["--cfg=sha2_backend_soft=\"compact\"", "--cfg=chacha20_backend=\"soft\"", "--cfg=mirage_checksum=\"compact\""];

const SEPARATOR: &str = "\u{1f}";
