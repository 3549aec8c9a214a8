//! Tests against the Linux kernel: our images behind a tap in a network namespace that the test makes and removes.

mod client;
mod image;
mod load;
pub(crate) mod namespace;
mod ping;
mod relay;
mod tcp;
mod udp;
mod user;

use std::path::PathBuf;

pub(crate) use self::client::same;
pub(crate) use self::load::hash;
use self::namespace::Namespace;
use crate::command::{cargo, run};
use crate::workspace;

/// Where our images run.
pub(crate) const GUEST: &str = "10.0.0.2";

/// What a test does.
type Body = fn(&Images) -> Result<(), String>;

/// A test: its name and what it does in a namespace of its own.
pub(crate) struct Test {
    pub(crate) name: &'static str,
    body: Body,
}

/// The images as they were built.
#[derive(Clone)]
pub(crate) struct Images {
    pub(crate) echo: PathBuf,
    pub(crate) web: PathBuf,
    /// No image, but a bad link.
    relay: PathBuf,
}

/// Builds the images.
pub(crate) fn images() -> Result<Images, String> {
    run(&mut cargo(["build", "--release", "--quiet", "--package", "echo", "--package", "web", "--package", "relay"]))?;
    let release = workspace::target().join("release");
    Ok(Images { echo: release.join("echo"), web: release.join("web"), relay: release.join("relay") })
}

/// Every test whose name contains `filter`.
pub(crate) fn all(filter: &str) -> Vec<Test> {
    let tests: [(&'static str, Body); 20] = [
        ("a_ping_of_56_bytes_is_answered", ping::small),
        ("a_ping_of_1472_bytes_is_answered", ping::full_frame),
        ("a_ping_of_65507_bytes_is_reassembled_and_answered", ping::largest),
        ("udp_of_9000_bytes_comes_back", udp::fragmented_both_ways),
        ("an_unused_udp_port_is_unreachable", udp::unused_port),
        ("two_hundred_megabytes_each_way_by_tcp", tcp::bulk),
        ("a_half_closed_connection_still_delivers", tcp::half_close),
        ("an_unused_tcp_port_is_refused", tcp::refused),
        ("keepalive_ends_a_cut_connection_after_four_seconds", tcp::keepalive),
        ("a_thousand_connections_at_once", tcp::thousand),
        ("a_reader_that_stops_is_served_when_it_goes_on", tcp::zero_window),
        ("a_link_that_loses_frames_carries_the_bytes_both_ways", relay::loss),
        ("a_link_that_doubles_frames_carries_the_bytes_both_ways", relay::duplication),
        ("a_link_that_reorders_frames_carries_the_bytes_both_ways", relay::reordering),
        ("a_link_that_does_all_of_that_carries_the_bytes_both_ways", relay::everything),
        ("curl_gets_the_page_and_its_answers", load::curl_tests),
        ("wrk_with_256_connections_meets_no_error", load::wrk),
        ("the_bytes_are_right_through_the_tap", load::bytes),
        ("an_unprivileged_user_serves_the_page", user::page_and_bytes),
        ("an_interrupt_ends_the_server_cleanly", user::interrupt),
    ];
    tests.into_iter().filter(|(name, _)| name.contains(filter)).map(|(name, body)| Test { name, body }).collect()
}

impl Test {
    /// Runs it on a thread of its own inside a fresh namespace.
    pub(crate) fn run(&self, images: &Images) -> Result<(), String> {
        let namespace = Namespace::new()?;
        let (images, body) = (images.clone(), self.body);
        std::thread::scope(|scope| {
            let namespace = &namespace;
            scope
                .spawn(move || {
                    namespace.enter()?;
                    body(&images)
                })
                .join()
                .unwrap_or_else(|panic| {
                    let text = panic.downcast_ref::<String>().map(String::as_str);
                    Err(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panicked").to_owned())
                })
        })
    }
}
