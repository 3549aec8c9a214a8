//! The exam that every stack has to pass.

use mirage_stack::testing::examine;
use mirage_tiny::Sizes;
use mirage_vnetif::NodeConfig;

use crate::lab::{Lab, lan, s};
use crate::tiny::Tiny;

#[test]
fn two_small_hosts_pass_the_exam_for_stacks() {
    let lab = Lab::new("two_small_hosts_pass_the_exam_for_stacks", 1);
    let (client, server) = (Tiny::new(&lab, 1), Tiny::new(&lab, 2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.ip()));
}

#[test]
fn a_small_client_of_the_large_stack_passes_the_exam() {
    let lab = Lab::new("a_small_client_of_the_large_stack_passes_the_exam", 1);
    let (client, server) = (Tiny::new(&lab, 1), lab.host(2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.address));
}

#[test]
fn a_small_server_of_the_large_stack_passes_the_exam() {
    let lab = Lab::new("a_small_server_of_the_large_stack_passes_the_exam", 1);
    let (client, server) = (lab.host(1), Tiny::new(&lab, 2));
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.ip()));
}

#[test]
fn small_hosts_pass_the_exam_with_jumbo_frames() {
    let lab = Lab::new("small_hosts_pass_the_exam_with_jumbo_frames", 1);
    let [client, server] = [1, 2].map(|number| {
        let node =
            lab.network().node(NodeConfig { mtu: 9_000, outbound: lan(), inbound: lan(), ..NodeConfig::default() });
        Tiny::on(node.id(), node, number, Sizes::default())
    });
    lab.run(&[&client, &server], s(600), examine(&&client.stack, &&server.stack, server.ip()));
}
