//! Whether the crates that say `no_std` really are free of std.
//!
//! A small crate outside the workspace names them all and brings its own panic handler. If anything below it linked
//! std, there would be two, and the compiler refuses that. No other target has to be installed for this. It brings an
//! allocator that has nothing, too, for the crates that need `alloc`.

use std::fmt::Write as _;
use std::fs;

use crate::command;
use crate::workspace;

/// Builds the probe.
pub(crate) fn check() -> Result<usize, String> {
    let metadata = workspace::metadata()?;
    let mut manifest = String::from(
        "[package]\nname = \"no-std-probe\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\ncrate-type = [\"staticlib\"]\n\n[profile.dev]\npanic = \"abort\"\n\n[workspace]\n\n[dependencies]\n",
    );
    let mut source = String::from(
        "#![no_std]\n\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! {\n    loop {}\n}\n\n\
         struct Nothing;\n\nunsafe impl core::alloc::GlobalAlloc for Nothing {\n    \
         unsafe fn alloc(&self, _: core::alloc::Layout) -> *mut u8 {\n        core::ptr::null_mut()\n    }\n    \
         unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}\n}\n\n\
         #[global_allocator]\nstatic NOTHING: Nothing = Nothing;\n\n",
    );
    let mut count = 0;
    for package in metadata.workspace_packages() {
        let folder = workspace::folder(package);
        let floor = folder.components().next().map(|floor| floor.as_os_str().to_string_lossy().into_owned());
        let free = matches!(floor.as_deref(), Some("interfaces" | "net" | "storage"));
        if !free {
            continue;
        }
        let library = fs::read_to_string(workspace::root().join(folder).join("src/lib.rs"))
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        if !library.lines().any(|line| line == "#![no_std]") {
            return Err(format!("{} does not say `#![no_std]`", package.name));
        }
        let unsafe_is_forbidden = library.lines().any(|line| line == "#![forbid(unsafe_code)]");
        if !unsafe_is_forbidden && package.name != "mirage-checksum" {
            return Err(format!("{} does not say `#![forbid(unsafe_code)]`", package.name));
        }
        let path = workspace::root().join(folder);
        writeln!(manifest, "{} = {{ path = {path:?}, default-features = false }}", package.name)
            .and_then(|()| writeln!(source, "extern crate {} as _;", package.name.replace('-', "_")))
            .expect("writing to a string cannot fail");
        count += 1;
    }
    let probe = workspace::target().join("no-std-probe");
    let write = |name: &str, text: &str| fs::write(probe.join(name), text);
    fs::create_dir_all(probe.join("src"))
        .and_then(|()| write("Cargo.toml", &manifest))
        .and_then(|()| write("src/lib.rs", &source))
        .and_then(|()| fs::copy(workspace::root().join("Cargo.lock"), probe.join("Cargo.lock")).map(drop))
        .map_err(|error| format!("{}: {error}", probe.display()))?;
    command::run(
        command::cargo(["build", "--quiet", "--manifest-path"])
            .arg(probe.join("Cargo.toml"))
            .arg("--target-dir")
            .arg(probe.join("target")),
    )?;
    Ok(count)
}
