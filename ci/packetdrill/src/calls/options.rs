//! Options.

use libc::c_int;
use mirage_clock::Duration;
use mirage_tcp::ConnectionId;

use crate::errno::{Answer, Errno};
use crate::profile::{client_fast_open, number};
use crate::socket::Role;
use crate::tcp_info;
use crate::world::World;

impl World {
    pub(crate) fn set_option(&mut self, fd: c_int, level: c_int, name: c_int, value: &[u8]) -> Answer<()> {
        let id = self.socket(fd)?.connection();
        // Some options of IP take a byte.
        let number = match *value {
            [byte] => Some(c_int::from(byte)),
            _ => value.first_chunk().map(|bytes| c_int::from_ne_bytes(*bytes)),
        };
        let options = &mut self.socket(fd)?.options;
        let second = |number: c_int| Duration::from_secs(number.max(0) as u64);
        match (level, name, number) {
            (libc::SOL_SOCKET, libc::SO_LINGER, Some(on)) => {
                let seconds = value.get(4..8).and_then(|bytes| bytes.first_chunk()).ok_or(Errno(libc::EINVAL))?;
                options.linger = (on != 0).then_some(u32::from_ne_bytes(*seconds));
            }
            (libc::SOL_SOCKET, libc::SO_RCVTIMEO, _) => options.receive_timeout = span(value)?,
            (libc::SOL_SOCKET, libc::SO_SNDTIMEO, _) => options.send_timeout = span(value)?,
            // Linux doubles both, for what it needs besides the bytes.
            (libc::SOL_SOCKET, libc::SO_SNDBUF | libc::SO_SNDBUFFORCE, Some(bytes)) => {
                options.send_buffer = Some((bytes.max(0) as u32).saturating_mul(2).max(4608));
            }
            (libc::SOL_SOCKET, libc::SO_RCVBUF | libc::SO_RCVBUFFORCE, Some(bytes)) => {
                options.receive_buffer = Some((bytes.max(0) as u32).saturating_mul(2).max(2304));
            }
            (libc::SOL_SOCKET, libc::SO_KEEPALIVE, Some(on)) => {
                options.keepalive = on != 0;
                self.apply_keepalive(fd)?;
            }
            (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, Some(seconds)) => {
                options.keepalive_times.after = second(seconds);
                self.apply_keepalive(fd)?;
            }
            (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, Some(seconds)) => {
                options.keepalive_times.interval = second(seconds);
                self.apply_keepalive(fd)?;
            }
            (libc::IPPROTO_TCP, libc::TCP_KEEPCNT, Some(count)) => {
                options.keepalive_times.probes = count.clamp(1, 127) as u8;
                self.apply_keepalive(fd)?;
            }
            (libc::IPPROTO_TCP, libc::TCP_NODELAY, Some(on)) => {
                options.nodelay = on != 0;
                if let Some(id) = id {
                    self.stack().tcp.set_nodelay(id, on != 0);
                }
            }
            (libc::IPPROTO_TCP, libc::TCP_CORK, Some(on)) => {
                options.cork = on != 0;
                if let Some(id) = id {
                    self.stack().tcp.set_cork(id, on != 0);
                }
            }
            (libc::IPPROTO_TCP, libc::TCP_MAXSEG, Some(bytes)) => {
                let segment = bytes.clamp(48, 65_535) as u16;
                options.max_segment = Some(segment);
                // A script has one connection: it sees the same as on a path that takes no more.
                let wire = &mut self.stack().wire;
                wire.mtu = wire.mtu.min(usize::from(segment) + 40);
            }
            (libc::IPPROTO_TCP, libc::TCP_FASTOPEN, Some(pending)) => {
                options.fast_open = Some(pending.clamp(0, 0xffff) as u16);
                self.apply_fast_open(fd)?;
            }
            (libc::IPPROTO_TCP, libc::TCP_FASTOPEN_CONNECT, Some(on)) => {
                if !client_fast_open().enabled {
                    return Err(Errno(libc::EOPNOTSUPP));
                }
                if !matches!(self.socket(fd)?.role, Role::Fresh | Role::Bound(_)) {
                    return Err(Errno(libc::EINVAL));
                }
                self.socket(fd)?.options.fast_open_connect = on != 0;
            }
            (libc::IPPROTO_TCP, TCP_FASTOPEN_KEY, _) => {
                options.fast_open_key = Some(<[u8; 16]>::try_from(value).map_err(|_| Errno(libc::EINVAL))?);
                self.apply_fast_open(fd)?;
            }
            (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, Some(millis)) => {
                let timeout = (millis != 0).then(|| Duration::from_millis(millis.max(0) as u64));
                options.user_timeout = timeout;
                if let Some(id) = id {
                    self.stack().tcp.set_user_timeout(id, timeout);
                }
            }
            (libc::IPPROTO_TCP, libc::TCP_SYNCNT, Some(count)) => {
                // So long do that many repetitions take, the first after a second.
                options.user_timeout = Some(second((1 << (count.clamp(1, 8) + 1)) - 1));
                if let (Some(id), timeout) = (id, options.user_timeout) {
                    self.stack().tcp.set_user_timeout(id, timeout);
                }
            }
            (libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT, Some(bytes)) => {
                options.unsent_limit = bytes as u32;
                if let Some(id) = id {
                    self.apply_unsent_limit(id, bytes as u32);
                }
            }
            (_, _, Some(number)) if is_harmless(level, name) => {
                options.others.insert((level, name), number);
            }
            (libc::IPPROTO_TCP, libc::TCP_CONGESTION, _) => {}
            _ => return Err(Errno(libc::ENOPROTOOPT)),
        }
        Ok(())
    }

    pub(crate) fn option(&mut self, fd: c_int, level: c_int, name: c_int) -> Answer<Vec<u8>> {
        let now = self.now;
        let socket = self.socket(fd)?;
        let options = socket.options.clone();
        let id = socket.connection();
        let number = match (level, name) {
            (libc::IPPROTO_TCP, libc::TCP_INFO) => {
                let listens = matches!(socket.role, Role::Listener { .. });
                let stack = self.stack();
                let info = id.and_then(|id| stack.tcp.tcp_info(id, now)).unwrap_or_default();
                let advmss = stack.wire.mtu.saturating_sub(40) as u32;
                return Ok(tcp_info::bytes(&info, listens, advmss));
            }
            (libc::IPPROTO_TCP, TCP_CC_INFO) => return Ok(Vec::new()),
            (libc::SOL_SOCKET, SO_MEMINFO) => return Ok(vec![0; 9 * size_of::<u32>()]),
            (libc::IPPROTO_TCP, libc::TCP_CONGESTION) => return Ok(b"cubic\0".to_vec()),
            (libc::SOL_SOCKET, libc::SO_ERROR) => {
                let failure = self.failure(fd).map_or(0, |error| error.0);
                if failure != 0 {
                    self.socket(fd)?.told = true;
                }
                failure
            }
            (libc::SOL_SOCKET, libc::SO_TYPE) => libc::SOCK_STREAM,
            (libc::SOL_SOCKET, libc::SO_SNDBUF) => options.send_buffer.unwrap_or(256 << 10) as c_int,
            (libc::SOL_SOCKET, libc::SO_RCVBUF) => options.receive_buffer.unwrap_or(540_000) as c_int,
            (libc::SOL_SOCKET, libc::SO_KEEPALIVE) => options.keepalive.into(),
            (libc::IPPROTO_TCP, libc::TCP_KEEPIDLE) => options.keepalive_times.after.as_secs() as c_int,
            (libc::IPPROTO_TCP, libc::TCP_KEEPINTVL) => options.keepalive_times.interval.as_secs() as c_int,
            (libc::IPPROTO_TCP, libc::TCP_KEEPCNT) => options.keepalive_times.probes.into(),
            (libc::IPPROTO_TCP, libc::TCP_NODELAY) => options.nodelay.into(),
            (libc::IPPROTO_TCP, libc::TCP_CORK) => options.cork.into(),
            (libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT) => {
                options.user_timeout.map_or(0, |timeout| timeout.as_millis() as c_int)
            }
            (libc::IPPROTO_TCP, libc::TCP_MAXSEG) => {
                let info = id.and_then(|id| self.stack().tcp.info(id));
                info.map_or(options.max_segment.unwrap_or(536), |info| info.send_mss).into()
            }
            (libc::IPPROTO_TCP, libc::TCP_NOTSENT_LOWAT) => options.unsent_limit as c_int,
            _ if is_harmless(level, name) => options.others.get(&(level, name)).copied().unwrap_or(0),
            _ => return Err(Errno(libc::ENOPROTOOPT)),
        };
        Ok(number.to_ne_bytes().to_vec())
    }

    /// Without a limit of the socket's own the namespace's counts.
    pub(super) fn apply_unsent_limit(&mut self, id: ConnectionId, own: u32) {
        let limit = if own == 0 { number("tcp_notsent_lowat").unwrap_or(u32::MAX) } else { own };
        self.stack().tcp.set_unsent_limit(id, Some(limit).filter(|limit| *limit != u32::MAX));
    }

    fn apply_keepalive(&mut self, fd: c_int) -> Answer<()> {
        let socket = self.socket(fd)?;
        let keepalive = socket.options.tcp().keepalive;
        if let Some(id) = socket.connection() {
            self.stack().tcp.set_keepalive(id, keepalive);
        }
        Ok(())
    }
}

/// A `timeval`; zero for ever.
fn span(value: &[u8]) -> Answer<Duration> {
    let part =
        |at: usize| value.get(at..).and_then(|bytes| bytes.first_chunk()).map(|bytes| i64::from_ne_bytes(*bytes));
    let (Some(seconds), Some(micros)) = (part(0), part(8)) else { return Err(Errno(libc::EINVAL)) };
    let span = Duration::from_secs(seconds.max(0) as u64) + Duration::from_micros(micros.max(0) as u64);
    Ok(if span.is_zero() { Duration::MAX } else { span })
}

/// Options that need not change anything.
fn is_harmless(level: c_int, name: c_int) -> bool {
    matches!(
        (level, name),
        (libc::SOL_SOCKET, libc::SO_REUSEADDR | libc::SO_REUSEPORT | libc::SO_PRIORITY | libc::SO_MARK)
            | (libc::SOL_SOCKET, libc::SO_OOBINLINE | libc::SO_ZEROCOPY)
            | (libc::IPPROTO_TCP, libc::TCP_QUICKACK | TCP_INQ)
            | (libc::IPPROTO_IP, libc::IP_FREEBIND | libc::IP_TOS | libc::IP_MTU_DISCOVER)
    )
}

/// Not in every C library's headers.
const TCP_CC_INFO: c_int = 26;
const TCP_FASTOPEN_KEY: c_int = 33;
pub(super) const TCP_INQ: c_int = 36;
const SO_MEMINFO: c_int = 55;
