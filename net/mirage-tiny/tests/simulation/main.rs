//! Whole hosts on simulated networks: everything happens in virtual time and follows from seeds.

extern crate alloc;

mod bulk;
mod churn;
mod exam;
mod run;
mod slow;
mod udp;
