//! A script, played with a machine.

mod calls;
mod figures;
mod settings;

use alloc::collections::{BTreeMap, VecDeque};

use super::number::show_time;
use super::options::{self, Origin};
use super::script::{Line, SOMEBODY, lines};
use super::segment::{Written, show};
use super::support::{Config, ConnectionId, Instant, Machine, Peer, SYN, Segment, Sizes};
use mirage_tcp::{ListenerId, Profile};

/// Plays a script to its end.
///
/// # Errors
/// The number of the line that failed, and why.
pub fn play<P: Profile>(text: &str) -> Result<(), String> {
    let mut play = Play::<P> {
        config: Config::default(),
        sizes: Sizes::default(),
        host: None,
        listener: None,
        peers: BTreeMap::new(),
        last: Instant::ZERO,
        sent: VecDeque::new(),
    };
    for line in lines(text) {
        let line = line?;
        play.line(&line).map_err(|error| format!("{}: {error}\n    {}", line.number, line.text))?;
    }
    play.nobody_expected().map_err(|error| format!("end: {error}"))
}

/// A machine and what the script knows of its peers.
pub struct Play<P: Profile> {
    config: Config,
    sizes: Sizes,
    /// Made by the first line that is not about what it shall be like.
    host: Option<Machine<P>>,
    listener: Option<ListenerId>,
    peers: BTreeMap<String, End>,
    /// When the line before happened.
    last: Instant,
    /// What the machine sent and no line expected yet.
    sent: VecDeque<(Instant, Segment)>,
}

/// What the script knows of a connection.
pub struct End {
    peer: Peer,
    /// Whether the machine's initial sequence number is known.
    known: bool,
    /// Zero of the machine's timestamps.
    clock: Option<u32>,
    id: Option<ConnectionId>,
    written: u32,
    read: u32,
}

impl End {
    fn new(peer: Peer) -> Self {
        Self { peer, known: false, clock: None, id: None, written: 0, read: 0 }
    }

    /// What options of the machine count from.
    fn of_machine(&self) -> Origin {
        Origin { acknowledged: self.peer.iss, clock: self.clock.unwrap_or(0), echoed: 0 }
    }

    /// What options of the peer count from.
    fn of_peer(&self) -> Origin {
        Origin { acknowledged: self.peer.irs, clock: 0, echoed: self.clock.unwrap_or(0) }
    }
}

impl<P: Profile> Play<P> {
    fn line(&mut self, line: &Line<'_>) -> Result<(), String> {
        if self.set(line)? {
            return Ok(());
        }
        if self.host.is_none() {
            let mut host = Machine::new(self.config, self.sizes);
            host.tcp.remember_servers(mirage_tcp::ManagedSlice::Borrowed(vec![Default::default(); 4].leak()));
            self.last = host.now;
            self.host = Some(host);
        }
        if let [">", segment @ ..] = &line.words[..] {
            return self.expect(line, &Written::parse(segment, line.options)?);
        }
        self.pass(self.last + line.after, false);
        self.nobody_expected().map_err(|error| format!("before this, {error}"))?;
        self.last = self.host().now;
        match &line.words[..] {
            ["nothing"] => {}
            ["<", "icmp", about @ ..] => self.icmp(line.peer, about)?,
            ["<", segment @ ..] => self.receive(line, segment)?,
            words => self.call(line.peer, words)?,
        }
        self.pass(self.last, false);
        Ok(())
    }

    fn host(&mut self) -> &mut Machine<P> {
        self.host.as_mut().expect("the first line makes it")
    }

    fn peer(&mut self, name: &str) -> &mut End {
        if name == SOMEBODY {
            return self.peers.entry(name.to_owned()).or_insert_with(|| End::new(Peer::new(80, 4000)));
        }
        self.peers.get_mut(name).expect("lines about peers were checked")
    }

    /// Lets time pass, until the machine has sent something if that is asked for.
    fn pass(&mut self, until: Instant, until_sent: bool) {
        let Self { host: Some(host), sent, .. } = self else { return };
        for _ in 0..1_000_000 {
            sent.extend(host.output().into_iter().map(|segment| (host.now, segment)));
            if until_sent && !sent.is_empty() {
                return;
            }
            match host.tcp.poll_timeout() {
                Some(next) if next <= until => {
                    host.now = host.now.max(next);
                    host.tcp.handle_timeout(host.now);
                }
                _ => return host.now = host.now.max(until),
            }
        }
        panic!("the machine's timers go off without end");
    }

    fn nobody_expected(&mut self) -> Result<(), String> {
        let Some((at, segment)) = self.sent.pop_front() else { return Ok(()) };
        let whose = self.peers.values().find(|end| (end.peer.here, end.peer.there) == (segment.from, segment.to));
        let end = whose.or(self.peers.values().next());
        let text = end.map_or(format!("{segment:?}"), |end| {
            let irs = if end.known { end.peer.irs } else { segment.seq };
            show(&segment, &Peer { irs, ..end.peer.clone() }, end.of_machine())
        });
        Err(format!("nobody expected `{text}` at {}", show_time(at - self.last)))
    }

    /// A segment that the machine has to send.
    fn expect(&mut self, line: &Line<'_>, expected: &Written<'_>) -> Result<(), String> {
        let due = self.last + line.after;
        self.pass(due + line.tolerance, true);
        let last = self.last;
        let wanted = line.text.split_once("> ").map_or(line.text, |(_, wanted)| wanted);
        let Some((at, segment)) = self.sent.pop_front() else {
            return Err(format!("expected `{wanted}`, and nothing was sent"));
        };
        let end = self.peer(line.peer);
        if expected.has(SYN) && !core::mem::replace(&mut end.known, true) {
            end.peer.irs = expected.initial(&segment);
        }
        if end.clock.is_none()
            && let Some(value) = options::timestamps(&segment.options)
        {
            // The first one is what the script says; the others count from there.
            let first = line.options.and_then(|text| text.split_once("val ")).map_or("0", |(_, rest)| rest);
            let first = first.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0);
            end.clock = Some(value.wrapping_sub(first));
        }
        let found = show(&segment, &end.peer, end.of_machine());
        if let Some(what) = expected.differs(&segment, &end.peer, end.of_machine())? {
            let at = show_time(at - last);
            return Err(format!("expected `{wanted}`, found `{found}` at {at}: {what}"));
        }
        if at + line.tolerance < due || at > due + line.tolerance {
            let (at, due) = (show_time(at - last), show_time(line.after));
            return Err(format!("`{found}` was sent at {at} instead of {due}"));
        }
        self.last = at;
        Ok(())
    }

    /// A segment of the peer.
    fn receive(&mut self, line: &Line<'_>, words: &[&str]) -> Result<(), String> {
        let (words, reason) = match words {
            [words @ .., "drop", reason] => (words, Some(*reason)),
            words => (words, None),
        };
        let end = self.peer(line.peer);
        let segment = Written::parse(words, line.options)?.build(&end.peer, end.of_peer())?;
        calls::dropped(self.host().input(&segment), reason)
    }
}
