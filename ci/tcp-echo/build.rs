//! Tells the linker that there is no system.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let flags = ["-nostartfiles", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none", "-Wl,--gc-sections"];
    for flag in flags {
        println!("cargo:rustc-link-arg={flag}");
    }
    // What a system brings.
    for function in ["memcpy", "memmove", "memset", "memcmp", "bcmp"] {
        println!("cargo:rustc-link-arg=-Wl,--defsym={function}=0");
    }
    // Nobody starts it.
    println!("cargo:rustc-link-arg=-Wl,--entry=0");
}
