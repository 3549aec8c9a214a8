//! UDP through the gateway: each conversation of the guest has a socket of the host of its own.

use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;

use futures_util::FutureExt as _;
use futures_util::future::{AbortHandle, Either, abortable, select};
use mirage_clock::{Instant, Monotonic, Sleep};
use mirage_net::Net;
use mirage_stack::{Error as _, ErrorKind, UdpSocket as _};
use mirage_tcpip::{Stack, UdpSocket};

use crate::tasks::Starter;
use crate::{Config, Forward};

/// Longest datagram there is.
const LONGEST: usize = 65_535;

/// Who talks to whom: who began, and whom it believes to talk to.
type Ends = (SocketAddr, SocketAddr);

struct Conversation<U> {
    ends: Ends,
    socket: U,
    /// When something passed last.
    active: Cell<Instant>,
    /// Ends the task that brings answers.
    end: Cell<Option<AbortHandle>>,
}

impl<U> Conversation<U> {
    fn new(ends: Ends, socket: U, now: Instant) -> Self {
        Self { ends, socket, active: Cell::new(now), end: Cell::new(None) }
    }
}

/// The conversations there are. Few enough that looking at all of them costs less than a system call.
type Table<U> = Rc<RefCell<Vec<Rc<Conversation<U>>>>>;

fn find<U>(table: &Table<U>, ends: Ends) -> Option<Rc<Conversation<U>>> {
    table.borrow().iter().find(|one| one.ends == ends).cloned()
}

/// Lets the guest's datagrams out, and answers in.
pub(crate) fn outwards<'a, N: Net, H: mirage_stack::Stack>(
    stack: &'a Stack<'static, N>,
    host: &'a H,
    config: &'a Config,
    clock: &'a impl Monotonic,
    sleep: &'a impl Sleep,
    tasks: Starter<'a>,
) -> Result<(), ErrorKind> {
    let inside = Rc::new(stack.bind_any()?);
    let starter = tasks.clone();
    tasks.start(async move {
        let table: Table<H::UdpSocket> = Rc::default();
        let mut buffer = vec![0; LONGEST];
        while let Ok(datagram) = inside.recv_from(&mut buffer).await {
            let ends = (datagram.remote, datagram.local);
            let payload = &buffer[..datagram.len.min(LONGEST)];
            let known = find(&table, ends);
            let conversation = match known {
                Some(conversation) => conversation,
                None => {
                    let Some(opened) = open(host, config, ends, clock.now()) else { continue };
                    let opened = Rc::new(opened);
                    remember(&mut table.borrow_mut(), &opened, config.conversations);
                    let (one, table, inside) = (opened.clone(), table.clone(), inside.clone());
                    let (task, end) = abortable(async move {
                        let (guest, believed) = one.ends;
                        let back = async |payload: &[u8]| match inside.send_from(believed, payload, guest).await {
                            Ok(()) => {}
                            Err(reason) => log::debug!("an answer to {guest} was not sent: {reason}"),
                        };
                        answers(&one, back, config, clock, sleep).await;
                        table.borrow_mut().retain(|other| !Rc::ptr_eq(other, &one));
                    });
                    opened.end.set(Some(end));
                    starter.start(task.map(drop));
                    opened
                }
            };
            conversation.active.set(clock.now());
            let Some(destination) = config.outside(ends.1) else { continue };
            if let Err(reason) = conversation.socket.send_to(payload, destination).await {
                log::debug!("a datagram to {destination} was not sent: {}", reason.kind());
            }
        }
    });
    Ok(())
}

/// A socket of the host for a new conversation; `None` when it may not leave.
fn open<H: mirage_stack::Stack>(
    host: &H,
    config: &Config,
    ends: Ends,
    now: Instant,
) -> Option<Conversation<H::UdpSocket>> {
    let destination = config.outside(ends.1)?;
    let any = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
    let socket = host.bind(any).ok()?;
    socket.connect(Some(destination)).ok()?;
    Some(Conversation::new(ends, socket, now))
}

/// Puts a conversation into the table; the one that was silent longest makes room.
fn remember<U>(table: &mut Vec<Rc<Conversation<U>>>, one: &Rc<Conversation<U>>, limit: usize) {
    if table.len() >= limit.max(1) {
        let oldest = table.iter().enumerate().min_by_key(|(_, other)| other.active.get()).map(|(at, _)| at);
        if let Some(at) = oldest {
            if let Some(end) = table.swap_remove(at).end.take() {
                end.abort();
            }
        }
    }
    table.push(one.clone());
}

/// Hands what comes back to `back` until the conversation was silent for too long.
async fn answers<U: mirage_stack::UdpSocket>(
    conversation: &Conversation<U>,
    back: impl AsyncFn(&[u8]),
    config: &Config,
    clock: &impl Monotonic,
    sleep: &impl Sleep,
) {
    let mut buffer = vec![0; LONGEST];
    loop {
        let deadline = conversation.active.get() + config.conversation_timeout;
        if clock.now() >= deadline {
            return;
        }
        let received = {
            let receive = std::pin::pin!(conversation.socket.recv_from(&mut buffer));
            let silence = std::pin::pin!(sleep.sleep_until(deadline));
            match select(receive, silence).await {
                Either::Left((received, _)) => received,
                Either::Right(_) => continue,
            }
        };
        match received {
            Ok(datagram) => {
                conversation.active.set(clock.now());
                back(&buffer[..datagram.len.min(LONGEST)]).await;
            }
            // The other side refuses; the guest's own retries decide how long to go on.
            Err(reason) => log::debug!("no answer: {}", reason.kind()),
        }
    }
}

/// Lets datagrams to a port of the host through to the guest. Each stranger appears to the guest as a port of the
/// gateway's address, for as long as neither is silent for too long.
pub(crate) fn inwards<'a, N: Net, H: mirage_stack::Stack>(
    stack: &'a Stack<'static, N>,
    host: &'a H,
    config: &'a Config,
    forward: Forward,
    clock: &'a impl Monotonic,
    sleep: &'a impl Sleep,
    tasks: Starter<'a>,
) -> Result<(), ErrorKind> {
    let outside = Rc::new(host.bind(forward.host).map_err(|error| error.kind())?);
    let guest = SocketAddr::new(IpAddr::V4(config.guest), forward.guest);
    let starter = tasks.clone();
    tasks.start(async move {
        let table: Table<UdpSocket<'a, 'static>> = Rc::default();
        let mut buffer = vec![0; LONGEST];
        loop {
            let Ok(datagram) = outside.recv_from(&mut buffer).await else { continue };
            let ends = (datagram.remote, guest);
            let known = find(&table, ends);
            let conversation = match known {
                Some(conversation) => conversation,
                None => {
                    let own = SocketAddr::new(IpAddr::V4(config.gateway.address()), 0);
                    let Ok(socket) = mirage_stack::Stack::bind(&stack, own) else { continue };
                    let opened = Rc::new(Conversation::new(ends, socket, clock.now()));
                    remember(&mut table.borrow_mut(), &opened, config.conversations);
                    let (one, table, outside) = (opened.clone(), table.clone(), outside.clone());
                    let (task, end) = abortable(async move {
                        let back = async |payload: &[u8]| match outside.send_to(payload, one.ends.0).await {
                            Ok(()) => {}
                            Err(reason) => log::debug!("an answer was not sent: {}", reason.kind()),
                        };
                        answers(&one, back, config, clock, sleep).await;
                        table.borrow_mut().retain(|other| !Rc::ptr_eq(other, &one));
                    });
                    opened.end.set(Some(end));
                    starter.start(task.map(drop));
                    opened
                }
            };
            conversation.active.set(clock.now());
            let payload = &buffer[..datagram.len.min(LONGEST)];
            if conversation.socket.send_to(payload, guest).await.is_err() {
                log::debug!("a datagram to {guest} was not sent");
            }
        }
    });
    Ok(())
}
