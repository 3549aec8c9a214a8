//! Ten thousand random links between two machines, each with its own misfortunes. Whatever they do, the bytes arrive exactly
//! once and in order, or an error is reported; and when all is closed, nothing is left.

#![allow(unreachable_pub, reason = "one program in several files")]

extern crate alloc;

mod application;
mod arena;
mod case;
mod path;
mod random;
mod world;

use arena::Arena;
use case::Case;
use mirage_tcp::{Profile, Small, Standard};
use world::World;

/// Plays the cases from `first` on, all on the same storage, as it is left by the one before.
fn play<P: Profile>(first: u64) {
    let (mut here, mut there) = (Arena::<P>::new(), Arena::<P>::new());
    let mut completed = 0;
    for seed in first..first + 2500 {
        let case = Case::new::<P>(seed);
        let result = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            let mut world = World::new(&case, here.machine(&case.ends[0]), there.machine(&case.ends[1]));
            world.run()
        }));
        match result {
            Ok(complete) => completed += usize::from(complete),
            Err(_) => panic!("link {seed}: {case:?}"),
        }
    }
    // Most links are bad, not hopeless: were it otherwise, little would be tested.
    assert!(completed > 1900, "only {completed} of 2500 links carried everything");
}

#[test]
fn the_first_quarter_of_ten_thousand_links() {
    play::<Standard>(0);
}

#[test]
fn the_second_quarter_of_ten_thousand_links() {
    play::<Standard>(2500);
}

#[test]
fn the_third_quarter_of_ten_thousand_links() {
    play::<Standard>(5000);
}

#[test]
fn the_last_quarter_of_ten_thousand_links() {
    play::<Standard>(7500);
}

#[test]
fn the_first_quarter_of_ten_thousand_links_with_as_little_of_tcp_as_there_can_be() {
    play::<Small>(0);
}

#[test]
fn the_last_quarter_of_ten_thousand_links_with_as_little_of_tcp_as_there_can_be() {
    play::<Small>(7500);
}
