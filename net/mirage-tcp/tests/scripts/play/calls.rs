//! Lines about what applications and routers do.

use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU16;
use core::task::Poll;

use mirage_protocols::{IcmpError, IcmpErrorKind, Protocol, Reason as _};
use mirage_tcp::{Cookie, FastOpen, Profile, Server};

use super::super::number::{Number, Span, parse, parse_time};
use super::super::segment::byte;
use super::super::support::{
    ACK, ConnectionId, Direction, Discard, HERE, Keepalive, ListenOptions, Segment, TcpOptions,
};
use super::Play;

impl<P: Profile> Play<P> {
    pub(super) fn call(&mut self, peer: &str, words: &[&str]) -> Result<(), String> {
        match *words {
            ["mtu", mtu] => self.host().ip.mtu = parse::<usize>(mtu)?.saturating_sub(20),
            ["listen", ref options @ ..] => self.listen(peer, options)?,
            ["unlisten"] => {
                let listener = self.listener.take().ok_or("nobody listens")?;
                self.host().tcp.close_listener(listener);
            }
            ["accept"] => self.accept(peer)?,
            ["accept", "pending"] => {
                if self.accept(peer).is_ok() {
                    return Err("somebody waited".to_owned());
                }
            }
            ["expect", name, expected] => self.figure(peer, name, Span::parse(expected)?)?,
            ["connect", ref options @ ..] => self.connect(peer, options)?,
            ["first", len, ref expected @ ..] => self.first(peer, parse(len)?, expected)?,
            ["server", ref known @ ..] => self.set_server(peer, known)?,
            ["fast_open", pending] => {
                let listener = self.listener.ok_or("nobody listens")?;
                let fast_open = FastOpen { key: [7; 16], pending: parse(pending)?, without_cookie: false };
                self.host().tcp.set_fast_open(listener, Some(fast_open));
            }
            _ => self.call_connection(peer, words)?,
        }
        Ok(())
    }

    fn listen(&mut self, peer: &str, options: &[&str]) -> Result<(), String> {
        let mut listen = ListenOptions::default();
        let rest = match *options {
            ["backlog", backlog, ref rest @ ..] => {
                listen.backlog = parse(backlog)?;
                rest
            }
            ref rest => rest,
        };
        listen.tcp = tcp_options(rest)?;
        let port = self.peer(peer).peer.here.port();
        let listener = self.host().listen_with(None, Some(port), listen).map_err(|error| error.to_string())?;
        self.listener = Some(listener);
        Ok(())
    }

    fn accept(&mut self, peer: &str) -> Result<(), String> {
        let listener = self.listener.ok_or("nobody listens")?;
        let id = self.host().accept(listener).ok_or("nobody waits to be accepted")?;
        let remote = self.host().tcp.remote(id);
        let end = self.peer(peer);
        end.id = Some(id);
        if remote == Some(end.peer.there) { Ok(()) } else { Err(format!("accepted {remote:?}")) }
    }

    fn connect(&mut self, peer: &str, options: &[&str]) -> Result<(), String> {
        let end = &self.peer(peer).peer;
        let (port, remote) = (NonZeroU16::new(end.here.port()), end.there);
        let options = tcp_options(options)?;
        let host = self.host();
        let id = host.tcp.connect(host.now, HERE, port, remote, options).map_err(|error| error.to_string())?;
        self.peer(peer).id = Some(id);
        Ok(())
    }

    /// Connects with the first of so many bytes in the SYN, if that may be.
    fn first(&mut self, peer: &str, len: u32, expected: &[&str]) -> Result<(), String> {
        let end = &self.peer(peer).peer;
        let (port, remote) = (NonZeroU16::new(end.here.port()), end.there);
        let bytes: Vec<u8> = (0..len).map(byte).collect();
        let host = self.host();
        let options = TcpOptions::default();
        let connected = host.tcp.connect_first(host.now, HERE, port, remote, options, &bytes);
        let (id, taken) = connected.map_err(|error| error.to_string())?;
        let end = self.peer(peer);
        (end.id, end.written) = (Some(id), taken as u32);
        match expected {
            [] => same("taken", taken, &len),
            ["takes", expected] => same("taken", taken, expected),
            _ => Err("`takes N` or nothing".to_owned()),
        }
    }

    /// What is known of a peer: `cookie 0102030405060708 mss 1460`, or `none` to demand that nothing is.
    fn set_server(&mut self, peer: &str, known: &[&str]) -> Result<(), String> {
        let server = self.peer(peer).peer.there.ip();
        let host = self.host();
        let found = host.tcp.server(HERE, server);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        match *known {
            ["cookie", cookie, "mss", mss] => {
                let cookie: Result<Vec<u8>, _> =
                    (0..cookie.len() / 2).map(|at| u8::from_str_radix(&cookie[2 * at..2 * at + 2], 16)).collect();
                let cookie = Cookie::new(&cookie.map_err(|_| "bytes are written in hexadecimal")?, false);
                let known = Server { cookie, without_cookie: false, mss: parse(mss)? };
                host.tcp.set_server(host.now, HERE, server, known);
                Ok(())
            }
            ["gave", cookie] => same(
                "the cookie",
                found.and_then(|found| found.cookie).map_or("none".to_owned(), |c| hex(c.as_bytes())),
                &cookie,
            ),
            _ => Err("`cookie HEX mss N` or `gave HEX`".to_owned()),
        }
    }

    fn call_connection(&mut self, peer: &str, words: &[&str]) -> Result<(), String> {
        let id = self.peer(peer).id.ok_or_else(|| format!("no such line, or {peer} has no connection"))?;
        let tcp = &mut self.host().tcp;
        match *words {
            ["connected", ref expected @ ..] => self.connected(id, expected)?,
            ["record", len] => {
                let first = self.peer(peer).written;
                let len: u32 = parse(len)?;
                let bytes: Vec<u8> = (first..first + len).map(byte).collect();
                self.peer(peer).written += len;
                let taken = self.host().try_write_record(id, &bytes);
                same("taken", format!("{taken:?}"), &format!("Ready(Ok({len}))"))?;
            }
            ["write", len, ref expected @ ..] => self.write(peer, id, parse(len)?, expected)?,
            ["read", ref expected @ ..] => self.read(peer, id, expected)?,
            ["close"] => tcp.close(id),
            ["abort"] => tcp.abort(id),
            ["shutdown", direction] => {
                let direction = match direction {
                    "read" => Direction::Read,
                    "write" => Direction::Write,
                    "both" => Direction::Both,
                    _ => return Err("read, write or both".to_owned()),
                };
                tcp.shutdown(id, direction).map_err(|error| error.to_string())?;
            }
            ["unsent_limit", "off"] => tcp.set_unsent_limit(id, None),
            ["unsent_limit", bytes] => tcp.set_unsent_limit(id, Some(parse(bytes)?)),
            ["nodelay", on] => tcp.set_nodelay(id, on == "on"),
            ["keepalive", "off"] => tcp.set_keepalive(id, None),
            ["keepalive", ..] => tcp.set_keepalive(id, tcp_options(words)?.keepalive),
            ["user_timeout", timeout] => tcp.set_user_timeout(id, Some(parse_time(timeout)?)),
            ["state", expected] => {
                let state = tcp.state(id);
                if state.map(|state| format!("{state:?}")).as_deref() != Some(expected) {
                    return Err(format!("the state is {state:?}"));
                }
            }
            ["gone"] => {
                if let Some(state) = tcp.state(id) {
                    return Err(format!("the state is {state:?}"));
                }
            }
            _ => return Err("no such line".to_owned()),
        }
        Ok(())
    }

    fn write(&mut self, peer: &str, id: ConnectionId, len: u32, expected: &[&str]) -> Result<(), String> {
        let first = self.peer(peer).written;
        let bytes: Vec<u8> = (first..first + len).map(byte).collect();
        let mut taken = 0;
        let refused = loop {
            match self.host().try_write(id, &bytes[taken..]) {
                Poll::Ready(Ok(count)) => {
                    taken += count;
                    if taken == bytes.len() {
                        break Ok(());
                    }
                }
                Poll::Ready(Err(error)) => break Err(error),
                Poll::Pending => break Ok(()),
            }
        };
        self.peer(peer).written += taken as u32;
        match (refused, expected) {
            (Err(error), ["error", expected]) if taken == 0 => same("the error", format!("{error:?}"), expected),
            (Err(error), _) => Err(format!("{error:?} after {taken} bytes")),
            (Ok(()), []) => same("taken", taken, &len),
            (Ok(()), ["takes", expected]) => same("taken", taken, expected),
            (Ok(()), _) => Err(format!("{taken} bytes were taken")),
        }
    }

    fn read(&mut self, peer: &str, id: ConnectionId, expected: &[&str]) -> Result<(), String> {
        let most = match expected {
            [number] if number.starts_with(|first: char| first.is_ascii_digit()) => parse(number)?,
            _ => 1,
        };
        let mut bytes = Vec::new();
        let last = loop {
            match self.host().read_some(id, most - bytes.len()) {
                Poll::Ready(Ok(more)) if !more.is_empty() => bytes.extend(more),
                last => break last,
            }
            if bytes.len() == most {
                break Poll::Pending;
            }
        };
        let first = self.peer(peer).read;
        self.peer(peer).read += bytes.len() as u32;
        if let Some(place) = (0..bytes.len()).find(|place| bytes[*place] != byte(first + *place as u32)) {
            return Err(format!("the byte at {} is a wrong one", first as usize + place));
        }
        let found = match last {
            Poll::Ready(Ok(_)) if bytes.is_empty() => "the end".to_owned(),
            Poll::Ready(Err(error)) => format!("{error:?}"),
            _ if bytes.is_empty() => "pending".to_owned(),
            _ => format!("{} bytes", bytes.len()),
        };
        match expected {
            ["end"] => same("read", found, &"the end"),
            ["pending"] => same("read", found, &"pending"),
            ["error", error] => same("read", found, error),
            [number] => same("read", found, &format!("{number} bytes")),
            _ => Err("read a number, `end`, `pending` or `error`".to_owned()),
        }
    }

    fn connected(&mut self, id: ConnectionId, expected: &[&str]) -> Result<(), String> {
        let found = match self.host().connected(id) {
            Poll::Ready(Ok(())) => "connected".to_owned(),
            Poll::Ready(Err(error)) => format!("{error:?}"),
            Poll::Pending => "pending".to_owned(),
        };
        match expected {
            [] => same("it", found, &"connected"),
            ["pending"] => same("it", found, &"pending"),
            ["error", error] => same("it", found, error),
            _ => Err("`pending` or `error`".to_owned()),
        }
    }

    /// A router's or host's word about a segment of the machine: `port`, `host`, `protocol`, `time` or `mtu 1400`, then
    /// `about 1461`.
    pub(super) fn icmp(&mut self, peer: &str, words: &[&str]) -> Result<(), String> {
        let (kind, rest) = match *words {
            ["mtu", mtu, ref rest @ ..] => (IcmpErrorKind::FragmentationNeeded { mtu: parse(mtu)? }, rest),
            ["port", ref rest @ ..] => (IcmpErrorKind::PortUnreachable, rest),
            ["host", ref rest @ ..] => (IcmpErrorKind::HostUnreachable, rest),
            ["protocol", ref rest @ ..] => (IcmpErrorKind::ProtocolUnreachable, rest),
            ["time", ref rest @ ..] => (IcmpErrorKind::TimeExceeded, rest),
            _ => return Err("port, host, protocol, time or mtu".to_owned()),
        };
        let (number, reason) = match *rest {
            ["about", number] => (Number::parse(number)?, None),
            ["about", number, "drop", reason] => (Number::parse(number)?, Some(reason)),
            _ => return Err("about which number?".to_owned()),
        };
        let end = &self.peer(peer).peer;
        let about = Segment::new(end.here, end.there, ACK).seq(number.on_wire(end.irs));
        let host = self.host();
        let bytes = about.bytes();
        let error = IcmpError {
            kind,
            reporter: ROUTER,
            source: about.from.ip(),
            destination: about.to.ip(),
            protocol: Protocol::TCP,
            quoted: &bytes[..8],
        };
        dropped(host.tcp.on_icmp_error(host.now, &error), reason)
    }
}

/// Whether the machine dropped what it was given for this reason; any outcome will do when there is none.
pub(super) fn dropped(result: Result<(), Discard>, reason: Option<&str>) -> Result<(), String> {
    match (result, reason) {
        (_, None) => Ok(()),
        (Err(found), Some(reason)) if found.name() == reason => Ok(()),
        (Err(found), Some(reason)) => Err(format!("dropped as `{}` instead of `{reason}`", found.name())),
        (Ok(()), Some(_)) => Err("it was not dropped".to_owned()),
    }
}

fn tcp_options(words: &[&str]) -> Result<TcpOptions, String> {
    let mut options = TcpOptions::default();
    match *words {
        [] => {}
        ["nodelay"] => options.nodelay = true,
        ["user_timeout", timeout] => options.user_timeout = Some(parse_time(timeout)?),
        ["keepalive", after, interval, probes] => {
            let (after, interval) = (parse_time(after)?, parse_time(interval)?);
            options.keepalive = Some(Keepalive { after, interval, probes: parse(probes)? });
        }
        _ => return Err(format!("no option `{}`", words.join(" "))),
    }
    Ok(options)
}

fn same(what: &str, found: impl ToString, expected: &impl ToString) -> Result<(), String> {
    let (found, expected) = (found.to_string(), expected.to_string());
    if found == expected { Ok(()) } else { Err(format!("{what}: {found} instead of {expected}")) }
}

const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
