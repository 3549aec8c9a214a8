//! How long a process and its children were on a processor.

use std::fs;
use std::time::Duration;

/// The time that all threads of process `id` and of its descendants spent on a processor, in user and in kernel mode.
///
/// From the scheduler, which counts in nanoseconds: the ticks of `/proc/ID/stat` are too coarse for a run of seconds.
/// Threads that have ended are not counted; servers here keep theirs.
pub(super) fn of(id: u32) -> Result<Duration, String> {
    let folder = format!("/proc/{id}/task");
    let threads = fs::read_dir(&folder).map_err(|error| format!("{folder}: {error}"))?;
    let mut total = Duration::ZERO;
    for thread in threads.flatten() {
        // "time on the processor, time waiting for one, number of turns", in nanoseconds.
        let told = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        let nanos = told.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
        total += Duration::from_nanos(nanos);
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|word| word.parse().ok()) {
            total += of(child)?;
        }
    }
    Ok(total)
}
