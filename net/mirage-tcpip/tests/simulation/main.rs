//! Whole stacks on simulated networks: everything happens in virtual time, follows from seeds, and leaves its last
//! frames in `target/pcap/<test>.pcap` when it fails.

#![allow(unreachable_pub, reason = "the laboratory is a library to the tests beside it")]

extern crate alloc;

mod lab;

mod bounds;
mod churn;
mod connect;
mod exam;
mod hostile;
mod icmp;
mod keepalive;
mod slow_reader;
mod udp;
