//! The exam that every stack has to pass.

use mirage_stack::testing::examine;

use crate::lab::{Lab, s};
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
