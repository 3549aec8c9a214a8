#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![allow(clippy::needless_doctest_main, reason = "a whole build script is what is shown")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "runs on the machine that builds")]

mod script;

use std::path::PathBuf;
use std::{env, fs};

use script::Script;

/// Tells the linker how to make an image of this package's binaries, by the target among the package's features: `unix`
/// (nothing to do, and it wins), `solo5-spt`, `solo5-hvt` or `virtio`. The whole `main` of most build scripts.
///
/// # Panics
/// Outside a build script, or when the folder for build results cannot be written.
pub fn image() {
    println!("cargo:rerun-if-changed=build.rs");
    let Some(script) = Script::chosen(|feature| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()) else {
        return;
    };
    let out = env::var_os("OUT_DIR").expect("cargo gives build scripts a folder");
    let path = PathBuf::from(out).join(script.name);
    fs::write(&path, script.text).expect("a build script can write where cargo tells it to");
    for argument in ARGUMENTS {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", path.display());
}

/// What the linker is told, for every image. The compiler asks for a position-independent executable first; of two such
/// wishes the later wins.
const ARGUMENTS: [&str; 9] = [
    "-nostartfiles",
    "-nostdlib",
    "-static",
    "-no-pie",
    "-Wl,--build-id=none",
    // Tenders demand that segments are aligned to pages, and no more than that.
    "-Wl,-z,max-page-size=0x1000",
    "-Wl,-z,noexecstack",
    "-Wl,-z,norelro",
    "-Wl,--gc-sections",
];
