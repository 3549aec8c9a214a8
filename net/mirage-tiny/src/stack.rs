//! The host on its device, for tasks.

use core::cell::{RefCell, RefMut};
use core::convert::Infallible;
use core::future::{Future, poll_fn};
use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_clock::{Instant, Monotonic, Sleep};
use mirage_net::{Disconnected, Net, Receive as _, SendError, Transmit as _};
use mirage_protocols::{Ipv4Cidr, show_counts};
use mirage_stack::{ErrorKind, ErrorType, ListenOptions, TcpOptions};
use mirage_waker::lent;

use crate::{ConnectionId, Counters, Host, Storage, TcpListener, TcpStream, UdpSocket};

/// The host and who polls it: what handles share, whatever the device is.
pub(crate) struct Shared<'s> {
    host: RefCell<Host<'s>>,
    driver: RefCell<Option<Waker>>,
}

/// A host on a network device, with the sockets that applications know.
///
/// Everything takes `&self`: tasks share it by reference. It does nothing by itself: [`run`](Self::run) or [`poll`](Self::poll) moves
/// frames. Not `Sync`: one stack lives on one core.
pub struct Stack<'s, N> {
    pub(crate) shared: Shared<'s>,
    pub(crate) device: RefCell<N>,
}

/// What [`Stack::poll`] did and what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Something came in, or there is more to send: poll again soon, after letting others run.
    pub more: bool,
    /// When to poll again even if nothing arrives; `None` when nothing is due.
    pub next: Option<Instant>,
}

/// Frames that one poll takes, and segments that it sends.
const BUDGET: usize = 32;

impl<'s> Shared<'s> {
    /// The host, for the time of a call. If that leaves something to send, the stack is polled soon.
    #[inline(never)]
    pub(crate) fn wake(&self) {
        if self.host().wants_transmit()
            && let Some(waker) = lent(&self.driver).take()
        {
            waker.wake();
        }
    }

    /// The host, for the time of a call: nobody keeps it over another one.
    pub(crate) fn host(&self) -> RefMut<'_, Host<'s>> {
        lent(&self.host)
    }

    /// Has the host do something, and the stack polled when that left something to send.
    pub(crate) fn call<R>(&self, ask: impl FnOnce(&mut Host<'s>) -> R) -> R {
        let result = ask(&mut self.host());
        self.wake();
        result
    }

    /// The local end of `port`.
    pub(crate) fn end(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.host().address().into(), port)
    }
}

impl<'s, N: Net> Stack<'s, N> {
    /// A stack on `device` that has no address yet. `secret` is drawn at boot.
    pub fn new(mut device: N, storage: Storage<'s>, secret: [u8; 16]) -> Self {
        let transmit = device.split().1;
        let host = Host::new(transmit.mac().octets(), transmit.mtu(), storage, secret);
        let shared = Shared { host: RefCell::new(host), driver: RefCell::new(None) };
        Self { shared, device: RefCell::new(device) }
    }

    /// Takes its one address.
    pub fn set_address(&self, address: Ipv4Cidr) {
        self.shared.host().set_address(address);
    }

    /// Sends everything for other networks to `gateway`.
    pub fn set_gateway(&self, gateway: Ipv4Addr) {
        self.shared.host().set_gateway(gateway);
    }

    /// What was thrown away, and why.
    pub fn counters(&self) -> Counters {
        self.shared.host().counters().clone()
    }

    /// Shows what went through the device, how many connections there are and what was thrown away, as layer, name and value.
    pub fn visit_counters(&self, show: &mut dyn FnMut(&'static str, &'static str, u64)) {
        let device = lent(&self.device).stats();
        let values = [
            device.rx_frames,
            device.rx_bytes,
            device.rx_dropped,
            device.tx_frames,
            device.tx_bytes,
            device.tx_dropped,
        ];
        let names = "rx_frames rx_bytes rx_dropped tx_frames tx_bytes tx_dropped";
        show_counts(names, &values, &mut |name, value| show("device", name, value));
        let host = self.shared.host();
        show("tcp", "connections", host.connections() as u64);
        host.counters().visit(|name, value| show("tiny", name, value));
    }

    /// Moves what can be moved: frames in and out, and what is due. A bounded amount of work. `cx`'s waker is woken when there
    /// is more to do before [`Progress::next`].
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub fn poll(&self, now: Instant, cx: &mut Context<'_>) -> Result<Progress, Disconnected> {
        let came = self.poll_in(now, cx)?;
        let mut progress = self.poll_out(now, cx)?;
        progress.more |= came;
        Ok(progress)
    }

    /// The host and the half of the device that sends, for the time of a call.
    pub(crate) fn with_device<R>(&self, ask: impl FnOnce(&mut Host<'s>, &mut N::Transmit) -> R) -> R {
        ask(&mut self.shared.host(), lent(&self.device).split().1)
    }

    /// Takes frames; whether there were any.
    #[inline(never)]
    fn poll_in(&self, now: Instant, cx: &mut Context<'_>) -> Result<bool, Disconnected> {
        let (mut device, mut host) = (lent(&self.device), self.shared.host());
        let (receive, transmit) = device.split();
        for taken in 0..BUDGET {
            match receive.poll_frame(cx, |frame| host.input(now, &frame, transmit)) {
                Poll::Ready(taken) => taken?,
                Poll::Pending => return Ok(taken > 0),
            }
        }
        Ok(true)
    }

    /// Sends what waits.
    #[inline(never)]
    fn poll_out(&self, now: Instant, cx: &mut Context<'_>) -> Result<Progress, Disconnected> {
        let (mut device, mut host) = (lent(&self.device), self.shared.host());
        let transmit = device.split().1;
        // After what has come: it may be what was waited for.
        host.handle_timeout(now);
        *lent(&self.shared.driver) = Some(cx.waker().clone());
        let mut more = false;
        if transmit.poll_ready(cx)?.is_ready() {
            more = match host.poll_transmit(now, transmit, BUDGET) {
                // The device tells when it has room.
                Err(SendError::Full) => transmit.poll_ready(cx)?.is_ready(),
                sent => sent.unwrap_or_default(),
            };
        }
        transmit.flush();
        let next = host.poll_timeout();
        Ok(Progress { more, next: (next != Instant::MAX).then_some(next) })
    }

    /// Moves frames for as long as the device lives. One task runs it; any number use the stack meanwhile.
    ///
    /// Cancel-safe: dropping the future stops the stack where it is, and it can be run again.
    ///
    /// # Errors
    /// [`Disconnected`] when the device is gone for good.
    pub async fn run(&self, clock: &impl Monotonic, sleep: &impl Sleep) -> Result<Infallible, Disconnected> {
        let mut timer = pin!(None);
        let mut step = Step::TakeIn;
        poll_fn(|cx| {
            loop {
                step = match step {
                    // Whoever was waiting reads and writes before anything leaves: one segment then carries the answer and the
                    // acknowledgement.
                    Step::TakeIn if self.poll_in(clock.now(), cx)? => {
                        cx.waker().wake_by_ref();
                        step = Step::SendOut;
                        return Poll::Pending;
                    }
                    Step::TakeIn | Step::SendOut => {
                        let progress = self.poll_out(clock.now(), cx)?;
                        if progress.more || self.poll_in(clock.now(), cx)? {
                            cx.waker().wake_by_ref();
                            step = Step::SendOut;
                            return Poll::Pending;
                        }
                        timer.set(Some(sleep.sleep_until(progress.next.unwrap_or(Instant::MAX))));
                        Step::Wait
                    }
                    // Any wake of this task ends the wait: the device, a handle or the timer.
                    Step::Wait => {
                        step = Step::TakeIn;
                        match timer.as_mut().as_pin_mut().map(|timer| timer.poll(cx)) {
                            Some(Poll::Pending) => return Poll::Pending,
                            _ => Step::TakeIn,
                        }
                    }
                };
            }
        })
        .await
    }
}

/// What [`Stack::run`] does next.
#[derive(Clone, Copy)]
enum Step {
    TakeIn,
    SendOut,
    Wait,
}

impl<N> ErrorType for Stack<'_, N> {
    type Error = ErrorKind;
}

impl<'a, 's, N: Net> mirage_stack::Stack for &'a Stack<'s, N> {
    type TcpStream = TcpStream<'a, 's>;
    type TcpListener = TcpListener<'a, 's>;
    type UdpSocket = UdpSocket<'a, 's, N>;

    async fn connect(&self, remote: SocketAddr, options: TcpOptions) -> Result<TcpStream<'a, 's>, ErrorKind> {
        let shared = &self.shared;
        let remote = version_4(remote)?;
        let id: ConnectionId = shared.call(|host| host.connect(remote, &options))?;
        // Dropping it breaks the attempt off.
        let stream = TcpStream::new(shared, id);
        poll_fn(|cx| shared.host().poll_connected(id, cx)).await?;
        Ok(stream)
    }

    fn listen(&self, local: SocketAddr, options: ListenOptions) -> Result<TcpListener<'a, 's>, ErrorKind> {
        let mut host = self.shared.host();
        is_ours(&host, local)?;
        let id = host.listen(local.port(), options)?;
        Ok(TcpListener::new(&self.shared, id))
    }

    fn bind(&self, local: SocketAddr) -> Result<UdpSocket<'a, 's, N>, ErrorKind> {
        let mut host = self.shared.host();
        is_ours(&host, local)?;
        let id = host.bind(local.port())?;
        Ok(UdpSocket::new(self, id))
    }
}

/// Whether one may listen there.
fn is_ours(host: &Host<'_>, local: SocketAddr) -> Result<(), ErrorKind> {
    let ip = local.ip();
    if ip == IpAddr::V4(host.address()) || ip == IpAddr::V4(Ipv4Addr::UNSPECIFIED) {
        return Ok(());
    }
    Err(ErrorKind::AddressNotAvailable)
}

pub(crate) fn version_4(remote: SocketAddr) -> Result<SocketAddrV4, ErrorKind> {
    match remote {
        SocketAddr::V4(remote) => Ok(remote),
        SocketAddr::V6(_) => Err(ErrorKind::Unsupported),
    }
}
