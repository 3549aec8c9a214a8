//! The exam that every stack has to pass.

use lab::{Lab, both_ways, lan, s};
use mirage_stack::testing::examine;
use mirage_tiny::Sizes;
use mirage_vnetif::NodeConfig;

#[test]
fn two_small_hosts_pass_the_exam_for_stacks() {
    let lab = Lab::new("two_small_hosts_pass_the_exam_for_stacks", 1);
    let (client, server) = (lab.small(1), lab.small(2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}

#[test]
fn a_small_client_of_the_large_stack_passes_the_exam() {
    let lab = Lab::new("a_small_client_of_the_large_stack_passes_the_exam", 1);
    let (client, server) = (lab.small(1), lab.host(2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}

#[test]
fn a_small_server_of_the_large_stack_passes_the_exam() {
    let lab = Lab::new("a_small_server_of_the_large_stack_passes_the_exam", 1);
    let (client, server) = (lab.host(1), lab.small(2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}

#[test]
fn small_hosts_pass_the_exam_with_jumbo_frames() {
    let lab = Lab::new("small_hosts_pass_the_exam_with_jumbo_frames", 1);
    let config = NodeConfig { mtu: 9_000, ..both_ways(&lan()) };
    let [client, server] = [1, 2].map(|number| lab.small_with(number, config.clone(), Sizes::default()));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}
