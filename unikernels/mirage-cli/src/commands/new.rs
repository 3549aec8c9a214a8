//! `mirage new`: a unikernel to begin with.

use std::fs;
use std::path::{Path, PathBuf};

use crate::arguments;
use crate::failure::{Failure, OrFail, Result};
use crate::output::{answer, invocation};

/// Makes the folder and tells what to do in it.
pub(crate) fn run(arguments: &arguments::New) -> Result<()> {
    let folder = &arguments.name;
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check_name(name)?;
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(Failure::new(format!("{} is there already; choose another name", folder.display())));
    }
    let checkout = match &arguments.path_dependencies {
        Some(checkout) => Some(checked(checkout)?),
        None => own_checkout(),
    };
    let dependency = |place: &str| match &checkout {
        // A string of TOML escapes what one of Rust does, for paths that are UTF-8.
        Some(checkout) => format!("path = {:?}", checkout.join(place).display().to_string()),
        None => format!("version = {VERSION:?}"),
    };
    let (platform, link) = (dependency("unikernels/platform"), dependency("unikernels/mirage-link"));
    let fill = |template: &str| {
        let text = template.replace("@NAME@", name).replace("@TYPE@", &type_name(name));
        text.replace("@PLATFORM@", &platform).replace("@LINK@", &link)
    };
    for (file, template) in FILES {
        let path = folder.join(file);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).or_fail(|| parent.display().to_string())?;
        fs::write(&path, fill(template)).or_fail(|| path.display().to_string())?;
    }
    let mirage = invocation();
    answer(format_args!("{name} is there. Next: cd {} && {mirage} run", folder.display()));
    if checkout.is_none() {
        answer("It takes Mirage's crates from the registry; --path-dependencies=FOLDER takes them from a checkout.");
    }
    Ok(())
}

/// Fails if a package cannot have this name.
fn check_name(name: &str) -> Result<()> {
    let begins_well = name.starts_with(|char: char| char.is_ascii_lowercase());
    let goes_on_well =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    if begins_well && goes_on_well && name.len() <= 64 && !RESERVED.contains(&name) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "a package cannot be called {name:?}; take small letters, digits, - and _, with a letter first, like motto"
    )))
}

/// `my-app` as a type: `MyApp`.
fn type_name(name: &str) -> String {
    let words = name.split(['-', '_']).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}

/// The absolute path of a checkout.
fn checked(folder: &Path) -> Result<PathBuf> {
    if !folder.join(PLATFORM).is_file() {
        return Err(Failure::new(format!("{} is no checkout of Mirage: there is no {PLATFORM}", folder.display())));
    }
    fs::canonicalize(folder).or_fail(|| folder.display().to_string())
}

/// The checkout that this tool is run from by `cargo mirage`, if it is.
fn own_checkout() -> Option<PathBuf> {
    let package = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?);
    let root = package.parent()?.parent()?;
    (package.ends_with("unikernels/mirage-cli") && root.join(PLATFORM).is_file()).then(|| root.to_owned())
}

const FILES: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("../../templates/Cargo.toml.in")),
    ("build.rs", include_str!("../../templates/build.rs.in")),
    ("src/main.rs", include_str!("../../templates/main.rs.in")),
    ("README.md", include_str!("../../templates/README.md.in")),
    (".gitignore", include_str!("../../templates/gitignore.in")),
];

/// Names that cargo refuses or that would hide a crate of the compiler's.
const RESERVED: [&str; 9] = ["alloc", "build", "core", "deps", "examples", "incremental", "proc_macro", "std", "test"];

const PLATFORM: &str = "unikernels/platform/Cargo.toml";

/// Crates of one version of Mirage belong together.
const VERSION: &str = env!("CARGO_PKG_VERSION");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_called_like_packages() {
        assert_eq!(["motto", "my-app", "a_b2"].map(type_name), ["Motto", "MyApp", "AB2"]);
    }

    #[test]
    fn names_that_no_package_can_have_are_refused() {
        for name in ["", "Web", "1st", "core", "a b", "-x", "über", "x.y"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("web-2_x").is_ok());
    }
}
