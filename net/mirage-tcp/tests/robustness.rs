//! Two machines over a hostile link: bytes arrive exactly once and in order, or an error is reported.

use mirage_tcp::testing::{self, Operation};
use proptest::prelude::*;

fn one_of_two() -> impl Strategy<Value = u8> {
    0..2_u8
}

/// What applications and networks do on a bad day, without ever giving up.
fn harmless() -> impl Strategy<Value = Operation> {
    let side = one_of_two;
    prop_oneof![
        1 => Just(Operation::Connect),
        2 => Just(Operation::Accept),
        6 => (side(), 0..3_u8, any::<u8>()).prop_map(|(side, pair, len)| Operation::Write { side, pair, len }),
        6 => (side(), 0..3_u8, any::<u8>()).prop_map(|(side, pair, len)| Operation::Read { side, pair, len }),
        1 => (side(), 0..3_u8).prop_map(|(side, pair)| Operation::End { side, pair }),
        8 => (side(), any::<u8>()).prop_map(|(side, count)| Operation::Deliver { side, count }),
        2 => (side(), any::<u8>()).prop_map(|(side, which)| Operation::Lose { side, which }),
        2 => (side(), any::<u8>()).prop_map(|(side, which)| Operation::Double { side, which }),
        3 => (side(), any::<u8>()).prop_map(|(side, which)| Operation::Overtake { side, which }),
        2 => (side(), any::<u8>(), any::<u8>()).prop_map(|(side, which, bit)| Operation::Damage { side, which, bit }),
        2 => (side(), any::<u8>(), any::<u8>()).prop_map(|(side, flags, seed)| Operation::Stranger { side, flags, seed }),
        2 => (side(), 0..9_u8).prop_map(|(side, room)| Operation::Device { side, room }),
        6 => (0..20_u8).prop_map(|span| Operation::Pass { span }),
    ]
}

/// The same with applications that leave, routers that lie and cables that are cut.
fn hostile() -> impl Strategy<Value = Operation> {
    let side = one_of_two;
    prop_oneof![
        20 => harmless(),
        1 => (side(), 0..3_u8).prop_map(|(side, pair)| Operation::Close { side, pair }),
        1 => (side(), 0..3_u8).prop_map(|(side, pair)| Operation::Abort { side, pair }),
        1 => (side(), any::<u8>()).prop_map(|(side, which)| Operation::Unreachable { side, which }),
        1 => any::<u8>().prop_map(|span| Operation::Pass { span }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_bad_link_loses_nothing(operations in proptest::collection::vec(harmless(), 0..150)) {
        testing::run(&operations);
    }

    #[test]
    fn a_hostile_world_breaks_no_promise(operations in proptest::collection::vec(hostile(), 0..150)) {
        testing::run(&operations);
    }

    #[test]
    fn any_bytes_drive_two_machines(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        testing::drive(&bytes);
    }

    #[test]
    fn any_bytes_play_a_peer(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
        testing::face(&bytes);
    }
}

/// What fuzzing found: a path that takes longer segments again left a congestion window of less than one, and what was
/// written waited for ever.
#[test]
fn a_path_that_takes_more_again_leaves_nothing_waiting() {
    const OPERATIONS: [u8; 103] = [
        0, 112, 112, 215, 91, 199, 202, 202, 202, 202, 202, 96, 255, 53, 53, 53, 202, 20, 44, 252, 120, 211, 31, 2, 2,
        119, 20, 211, 31, 2, 2, 200, 61, 61, 44, 252, 120, 211, 31, 2, 2, 119, 20, 211, 255, 16, 31, 2, 200, 61, 61,
        61, 61, 2, 0, 0, 0, 0, 0, 0, 0, 71, 31, 2, 2, 119, 20, 211, 31, 2, 2, 72, 61, 61, 44, 252, 120, 211, 31, 2, 2,
        119, 20, 211, 0, 0, 255, 255, 255, 0, 0, 255, 0, 234, 2, 1, 0, 0, 9, 61, 2, 0, 0,
    ];
    testing::drive(&OPERATIONS);
}

/// What fuzzing found: a peer without room that takes back what it had acknowledged selectively was sent everything but what
/// it waits for, as fast as it answered, until a timeout.
#[test]
fn a_peer_that_takes_back_gets_what_it_waits_for() {
    const OPERATIONS: [u8; 282] = [
        0, 112, 112, 215, 91, 199, 202, 171, 52, 202, 202, 234, 202, 0, 202, 112, 215, 91, 2, 2, 2, 61, 61, 61, 202,
        255, 255, 255, 255, 255, 255, 255, 61, 61, 202, 255, 255, 255, 255, 255, 255, 255, 58, 255, 255, 255, 255, 255,
        255, 199, 202, 38, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197,
        197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197,
        197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197, 197,
        197, 197, 197, 197, 197, 91, 255, 181, 181, 165, 181, 1, 4, 181, 181, 255, 255, 255, 255, 255, 255, 96, 255,
        255, 58, 255, 255, 255, 255, 255, 255, 255, 255, 255, 91, 255, 255, 181, 181, 181, 181, 1, 4, 181, 181, 255,
        255, 255, 24, 0, 255, 40, 215, 202, 91, 2, 2, 2, 61, 61, 61, 202, 255, 255, 255, 5, 0, 0, 0, 4, 255, 255, 255,
        58, 255, 255, 255, 255, 255, 255, 199, 181, 181, 181, 183, 1, 4, 181, 181, 255, 255, 255, 24, 0, 255, 40, 215,
        202, 91, 2, 2, 2, 61, 61, 61, 202, 255, 255, 255, 255, 255, 255, 255, 58, 255, 255, 255, 255, 255, 255, 199,
        202, 38, 91, 255, 181, 181, 165, 181, 1, 4, 181, 181, 255, 255, 255, 255, 255, 252, 252, 52, 71, 71, 71, 202,
        202, 202, 202, 9, 202, 53, 54, 49, 53, 1, 0, 0, 0, 0, 0, 0, 72, 48, 213, 162, 194, 59, 73,
    ];
    testing::drive(&OPERATIONS);
}
