//! A host without a network: tests write what it hears and read what it says, word for word.

#![allow(unreachable_pub, reason = "the bench is a library to the tests beside it")]

extern crate alloc;

mod bench;
mod wire;

mod acknowledgment;
mod close;
mod flood;
mod hostile;
mod icmp;
mod keepalive;
mod link;
mod loss;
mod open;
mod rfc5961;
mod time_wait;
mod udp;
mod window;
