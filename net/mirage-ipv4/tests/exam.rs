//! The exam of every IP layer.

mod common;

use common::host;
use mirage_protocols::testing::{FakeNeighbours, examine_ip};

#[test]
fn the_layer_over_its_links_passes_the_exam_of_ip_layers() {
    let (mut host, mut links) = (host(), FakeNeighbours::default());
    examine_ip(&mut host.over(&mut links), [10, 0, 0, 1].into());
}
