//! Whole hosts on simulated networks: everything happens in virtual time and follows from seeds. The laboratory is that of
//! `mirage-tcpip`.

#![allow(unreachable_pub, dead_code, unused_imports, reason = "of the laboratory, not everything is needed here")]

extern crate alloc;

#[path = "../../../mirage-tcpip/tests/simulation/lab/mod.rs"]
mod lab;
mod tiny;

mod bulk;
mod churn;
mod exam;
mod run;
mod slow;
