//! Every test, and one closing line.

use crate::command::cargo;
use crate::kernel;
use crate::tally::Tally;
use crate::tools;

/// Runs them all, or only the kernel tests whose name contains `kernel`.
pub(crate) fn run(only_kernel: Option<&str>) -> Result<(), String> {
    let mut tally = Tally::default();
    if only_kernel.is_none() {
        let mut tests = cargo(["test", "--workspace", "--all-features", "--no-fail-fast"]);
        tally.cargo_test(&mut tests)?;
    }
    kernel_tests(only_kernel.unwrap_or(""), &mut tally)?;
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
        tools::ensure().err()
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
        let started = std::time::Instant::now();
        let outcome = test.run(&images);
        let seconds = started.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => {
                tally.passed += 1;
                println!("kernel test {} ... ok ({seconds:.1} s)", test.name);
            }
            Err(reason) => {
                tally.failed += 1;
                println!("kernel test {} ... FAILED ({seconds:.1} s): {reason}", test.name);
            }
        }
    }
    Ok(())
}
