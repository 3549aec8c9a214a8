//! The client.

use crate::lab::{Lab, Side};

/// How long one run takes, in seconds.
const SECONDS: &str = "2";

/// What wrk said at its end.
#[derive(Debug, PartialEq)]
pub(super) struct Said {
    pub(super) requests: u64,
    /// For each second.
    pub(super) rate: f64,
}

/// Asks for `url` again and again over so many connections. A single error of any kind is one.
pub(super) fn run(lab: &Lab, url: &str, connections: u32) -> Result<Said, String> {
    let mut command = lab.command(Side::Client, "wrk");
    let output = command
        .args(["-t1", &format!("-c{connections}"), &format!("-d{SECONDS}"), url])
        .output()
        .map_err(|error| format!("wrk did not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    said(&text).ok_or_else(|| {
        format!("wrk with {connections} connections to {url}: {text}{}", String::from_utf8_lossy(&output.stderr))
    })
}

/// Reads `  73241 requests in 3.00s, 150.21MB read` and `Requests/sec:  24410.59`; nothing when there is a word of errors.
fn said(text: &str) -> Option<Said> {
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return None;
    }
    let requests = text.lines().find_map(|line| line.trim().split_once(" requests in "))?.0.parse().ok()?;
    let rate = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?.trim().parse().ok()?;
    (requests > 0).then_some(Said { requests, rate })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str =
        "  73241 requests in 3.00s, 150.21MB read\nRequests/sec:  24410.59\nTransfer/sec:     50.06MB\n";

    #[test]
    fn what_wrk_prints_is_understood() {
        assert_eq!(said(CLEAN), Some(Said { requests: 73_241, rate: 24_410.59 }));
    }

    #[test]
    fn an_error_of_any_kind_spoils_the_run() {
        assert_eq!(said(&(CLEAN.to_owned() + "  Socket errors: connect 0, read 1, write 0, timeout 0\n")), None);
        assert_eq!(said(&(CLEAN.to_owned() + "  Non-2xx or 3xx responses: 3\n")), None);
        assert_eq!(said(""), None);
    }
}
