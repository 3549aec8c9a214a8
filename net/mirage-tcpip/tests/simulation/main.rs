//! Whole stacks on simulated networks: everything happens in virtual time, follows from seeds, and leaves its last
//! frames in `target/pcap/<test>.pcap` when it fails.

mod bounds;
mod churn;
mod connect;
mod exam;
mod hostile;
mod icmp;
mod keepalive;
mod slow_reader;
mod udp;
