//! The exam that every stack has to pass.

use lab::{HostConfig, Lab, s};
use mirage_stack::testing::examine;

#[test]
fn the_stack_passes_the_exam_for_stacks() {
    let lab = Lab::new("the_stack_passes_the_exam_for_stacks", 1);
    let (client, server) = (lab.host(1), lab.host(2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}

#[test]
fn the_stack_passes_the_exam_with_jumbo_frames() {
    let lab = Lab::new("the_stack_passes_the_exam_with_jumbo_frames", 2);
    let [client, server] = [1, 2].map(|number| lab.host_with(number, HostConfig::default().with_mtu(9000)));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}
