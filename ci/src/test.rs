//! Every test, and one closing line.

use crate::command::cargo;
use crate::tally::Tally;
use crate::{boot, kernel, tools};

/// Runs them all, or only those against the kernel or of images that boot whose names contain `kernel` or `boot`.
pub(crate) fn run(only_kernel: Option<&str>, only_boot: Option<&str>) -> Result<(), String> {
    let mut tally = Tally::default();
    let everything = only_kernel.is_none() && only_boot.is_none();
    if everything {
        let mut tests = cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        tally.cargo_test(&mut tests)?;
    }
    if everything || only_boot.is_some() {
        boot_tests(only_boot.unwrap_or(""), &mut tally)?;
    }
    if everything || only_kernel.is_some() {
        kernel_tests(only_kernel.unwrap_or(""), &mut tally)?;
    }
    let Tally { passed, failed, skipped } = tally;
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    let in_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    match (failed, skipped) {
        (0, 0) => Ok(()),
        (0, _) if !in_ci => Ok(()),
        (0, _) => Err("in CI a skipped test is a failure".to_owned()),
        _ => Err("some tests failed".to_owned()),
    }
}

/// The tests against the Linux kernel, or a sentence why they are skipped.
fn kernel_tests(filter: &str, tally: &mut Tally) -> Result<(), String> {
    let tests = kernel::all(filter);
    let obstacle = if tools::is_root() {
        tools::ensure(tools::KERNEL).err()
    } else {
        Some("they need root for network namespaces; type: sudo -E cargo ci test".to_owned())
    };
    if let Some(reason) = obstacle {
        println!("\nskipped {} tests against the Linux kernel: {reason}", tests.len());
        tally.skipped += tests.len();
        return Ok(());
    }
    let images = kernel::images()?;
    println!("\nrunning {} tests against the Linux kernel", tests.len());
    for test in tests {
        tally.run("kernel", test.name, || test.run(&images));
    }
    Ok(())
}

/// The tests of images that boot, or sentences why some are skipped.
fn boot_tests(filter: &str, tally: &mut Tally) -> Result<(), String> {
    let mut tests = boot::all(filter);
    let mut skip = |tests: &mut Vec<boot::Test>, what: &str, reason: String, skipped: fn(&boot::Test) -> bool| {
        let all = tests.len();
        tests.retain(|test| !skipped(test));
        println!("\nskipped {} tests {what}: {reason}", all - tests.len());
        tally.skipped += all - tests.len();
    };
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        skip(&mut tests, "of images that boot", "they need Linux on x86-64".to_owned(), |_| true);
    } else if let Err(reason) = tools::ensure(tools::BOOT) {
        skip(&mut tests, "of images that boot", reason, |_| true);
    } else if tests.iter().any(|test| test.needs_qemu)
        && let Err(reason) = tools::ensure(tools::QEMU)
    {
        skip(&mut tests, "in virtual machines", reason, |test| test.needs_qemu);
    }
    if tests.is_empty() {
        return Ok(());
    }
    let images = boot::Images::build()?;
    println!("\nrunning {} tests of images that boot", tests.len());
    for test in tests {
        tally.run("boot", test.name, || test.run(&images));
    }
    Ok(())
}
