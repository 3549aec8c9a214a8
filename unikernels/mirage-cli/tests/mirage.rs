//! The tool as it is typed.

#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "tests of a program that needs std")]

mod place;

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};
use std::{fs, thread};

use place::{Place, workspace};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Its only line, if it failed with `code`.
fn refused(output: &Output, code: i32) -> &str {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said.strip_prefix("mirage: ").expect("it says who says it").trim_end()
}

fn succeeded(output: &Output) -> &str {
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn a_new_unikernel_is_built_and_answers() {
    let place = Place::with_unikernel("answers", "motto");
    let built = place.mirage(&["build"]);
    assert!(succeeded(&built).starts_with("dist/motto ("), "{}", text(&built.stdout));
    let again = place.mirage(&["build", "--locked"]);
    assert!(succeeded(&again).contains("as it was"), "{}", text(&again.stdout));
    assert!(!text(&again.stderr).contains("building"), "{}", text(&again.stderr));

    let mut running = place
        .command(&["run", "--forward=0:17", "--", "--motto=Simple."])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut said = BufReader::new(running.stdout.take().expect("it is piped"));
    let mut line = String::new();
    said.read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("motto: ready at ").expect("it says where it is");
    let mut answer = String::new();
    TcpStream::connect(address).expect("it listens").read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "Simple.\n");
    let stopped = Command::new("kill").arg(running.id().to_string()).status().expect("kill is everywhere");
    assert!(stopped.success() && running.wait().expect("it ends").success());

    let described = place.mirage(&["describe"]);
    let told = succeeded(&described);
    assert!(told.contains("motto 0.1.0 for unix") && told.contains("mirage-platform  "), "{told}");
    // With its size, the crate whose code it is; and somewhere one from the registry.
    let is_own = |line: &str| line.split_whitespace().skip(1).eq(["motto", "0.1.0", "default,unix"]);
    assert!(told.lines().any(is_own) && told.contains("siphasher"), "{told}");

    succeeded(&place.mirage(&["clean"]));
    assert!(!place.folder().join("dist").exists());
}

#[test]
fn what_is_configured_is_remembered() {
    let place = Place::with_unikernel("remembers", "motto");
    let configured = place.mirage(&["configure", "-t", "spt", "--memory", "16", "--", "--motto=a b"]);
    let told = succeeded(&configured);
    assert!(told.contains(".mirage/motto.toml") && told.contains("Next: "), "{told}");
    let file = fs::read_to_string(place.folder().join(".mirage/motto.toml")).expect("a file");
    assert!(file.contains("target = \"spt\"\nmemory = 16\n") && file.contains("--motto=a b"), "{file}");
    // It is for spt now, for which nothing was built.
    let missing = place.mirage(&["describe"]);
    assert!(refused(&missing, 1).ends_with("mirage build -p motto -t spt`"), "{}", text(&missing.stderr));
    fs::write(place.folder().join(".mirage/motto.toml"), "memmory = 16").expect("it can be written");
    assert!(refused(&place.mirage(&["build"]), 1).contains("memmory"));
    succeeded(&place.mirage(&["clean", "-p", "motto"]));
    assert!(!place.folder().join(".mirage/motto.toml").exists());
}

#[test]
fn what_cannot_be_is_refused_in_one_line() {
    let place = Place::with_unikernel("refuses", "motto");
    let said = |arguments: &[&str], code| refused(&place.mirage(arguments), code).to_owned();
    assert!(said(&["build", "-t", "xen"], 64).contains("does not exist yet; choose unix, spt, hvt or virtio"));
    assert!(said(&["build", "-t", "macos"], 64).contains("does not exist yet"));
    assert!(said(&["build", "-t", "amiga"], 64).contains("there is no target amiga"));
    assert!(said(&["configure"], 64).contains("for which target?"));
    assert!(said(&["build", "-p", "web"], 64).contains("web is no application here; there is motto"));
    assert!(said(&["run", "--net=tap:"], 64).contains("expected user or tap:INTERFACE"));
    assert!(said(&["run", "-t", "spt", "--net=tap:nosuchtap"], 1).contains("ip tuntap add dev nosuchtap"));
    assert!(said(&["describe", "Cargo.toml"], 1).contains("this is no image"));
    assert!(said(&["describe", "dist/nothing"], 1).contains("there is no such file"));
    assert!(said(&["symbolize", "Cargo.toml", "0x1"], 1).starts_with("Cargo.toml: "));
    assert!(said(&["new", "../motto"], 1).contains("is there already"));
    assert!(said(&["new", "Motto"], 64).contains("small letters"));
    assert!(said(&["frobnicate"], 64).contains("unrecognized subcommand"));
    let help = place.mirage(&["--help"]);
    assert!(succeeded(&help).contains("symbolize"));
}

#[test]
fn a_missing_profile_or_feature_is_told_with_what_to_add() {
    let place = Place::with_unikernel("profile", "motto");
    let manifest = place.folder().join("Cargo.toml");
    let whole = fs::read_to_string(&manifest).expect("a manifest");
    fs::write(&manifest, whole.replace("[profile.image]", "[profile.other]")).expect("it can be written");
    let said = place.mirage(&["build", "-t", "spt"]);
    assert!(refused(&said, 1).contains("no profile for images; add: [profile.image] inherits"));
    fs::write(&manifest, whole.replace("virtio = ", "vortio = ")).expect("it can be written");
    let said = place.mirage(&["build", "-t", "virtio"]);
    assert!(refused(&said, 1).contains("add `virtio = [\"mirage-platform/virtio\"]`"));
    fs::write(&manifest, "nonsense").expect("it can be written");
    assert_eq!(place.mirage(&["build"]).status.code(), Some(1));
}

#[test]
fn outside_of_any_package_it_says_what_to_do() {
    let place = Place::empty("outside");
    let said = place.mirage(&["build"]);
    assert!(refused(&said, 1).contains("could not find `Cargo.toml`"), "{}", text(&said.stderr));
}

/// Copies of all sources in two folders, names of different lengths, and a build in each.
#[test]
fn two_builds_in_two_folders_are_the_same() {
    let build = |name: &str| {
        let place = Place::with_copy_of_everything(name);
        succeeded(&place.mirage(&["build", "--locked", "-p", "hello", "-t", "spt"]));
        let read = |file: &str| fs::read(place.folder().join("dist").join(file)).expect("it was built");
        (read("hello.spt"), read("hello.spt.debug"))
    };
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| build("a"));
        let other = build("quite/a/different/folder");
        (one.join().expect("no panic"), other)
    });
    assert!(one.0 == other.0, "the images differ");
    assert!(one.1 == other.1, "the files with symbols differ");
    // Stripping cut something off and moved nothing: all but the list of sections in the header and the crates at the end.
    let kept = one.0.len() - 1024;
    assert!(one.0.len() < one.1.len() / 2 && one.0[0x40..kept] == one.1[0x40..kept]);
    let root = workspace().display().to_string();
    assert!(!one.1.windows(root.len()).any(|bytes| bytes == root.as_bytes()), "a path of this machine is in it");
}
