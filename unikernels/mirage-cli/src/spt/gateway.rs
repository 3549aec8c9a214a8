//! The process at the far end of a guest's cable: our own stack, and the host's sockets behind it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use mirage_clock::{Instant, Monotonic};
use mirage_net::MacAddress;
use mirage_platform::executor::{Executor, Park};
use mirage_platform::network::{Forward, Protocol, Service};
use mirage_random::{Rng, SeededGenerator};
use mirage_stack_unix::{HostStack, resolver};
use mirage_unix::{KernelEntropy, MonotonicClock, Reactor};
use mirage_usernet::{Config, Error, Gateway, Transport};
use rustix::process::{Resource, getrlimit, setrlimit};

use super::cable::Cable;
use crate::output;

/// The first argument of such a process. Nobody types it.
const VERB: &str = "spt-gateway";
/// What a gateway says last on its standard output, when its doors are open.
const READY: &str = "ready";
/// Tasks beside the gateway itself: none.
const TASKS: usize = 1;
/// A gateway of a guest that just ended closes its doors a little later than the guest.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starts a gateway for packets of `mtu` bytes at `end`, and says which doors of the host lead where, those with port 0
/// chosen. It ends when the other end is closed.
pub(super) fn start(end: OwnedFd, mtu: u16, forwards: &[Forward]) -> io::Result<Vec<Forward>> {
    let mut command = Command::new("/proc/self/exe");
    command.arg(VERB).arg(mtu.to_string()).args(forwards.iter().map(text));
    let mut child = command.stdin(end).stdout(Stdio::piped()).spawn()?;
    let said = child.stdout.take().map(BufReader::new);
    let mut chosen = Vec::new();
    for line in said.into_iter().flat_map(BufRead::lines) {
        let line = line?;
        if line == READY {
            return Ok(chosen);
        }
        chosen.push(line.parse().map_err(io::Error::other)?);
    }
    // It has said why.
    Err(io::Error::other(format!("it did not start: {}", child.wait()?)))
}

/// Is the gateway, if this process was started as one.
pub(crate) fn main() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    arguments.next().filter(|verb| verb == VERB)?;
    Some(match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(format!("the image's network: {error}"));
            ExitCode::FAILURE
        }
    })
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), Box<dyn core::error::Error>> {
    let mtu = arguments.next().ok_or("no MTU")?.parse::<u16>()?;
    let forwards = arguments.map(|forward| forward.parse()).collect::<Result<Vec<Forward>, _>>()?;
    let end = io::stdin().as_fd().try_clone_to_owned()?;
    serve(end, mtu, &forwards, io::stdout().lock())
}

/// Opens the doors, says so to `out`, and moves bytes until the other end is closed.
fn serve(end: OwnedFd, mtu: u16, forwards: &[Forward], mut out: impl Write) -> Result<(), Box<dyn core::error::Error>> {
    allow_many_descriptors();
    forwards.iter().for_each(wait_for_door);
    let reactor = Reactor::new()?;
    let mut random = SeededGenerator::new(&mut KernelEntropy)?;
    let mut bits = [0; 6];
    random.fill_bytes(&mut bits);
    let cable = Cable::new(&reactor, end, MacAddress::local(bits), mtu.into())?;
    let config = Config { resolver: resolver(), forwards: forwards.iter().map(outer).collect(), ..Config::default() };
    let gateway = Gateway::new(cable, HostStack::new(&reactor), config, &mut random)?;

    for forward in gateway.forwards() {
        writeln!(out, "{}", text(&inner(forward)))?;
    }
    writeln!(out, "{READY}")?;
    out.flush()?;

    let executor = Executor::new(Host { reactor }, TASKS);
    let timer = executor.timer();
    match executor.block_on(gateway.run(&timer, &timer)) {
        Err(Error::Disconnected) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Where the executor waits.
struct Host {
    reactor: Reactor,
}

impl Park for Host {
    fn now(&self) -> Instant {
        MonotonicClock.now()
    }

    fn park(&self, until: Option<Instant>, idle: &dyn Fn() -> bool) {
        self.reactor.wait_while(until, idle).expect("epoll fails only for a descriptor that is not one");
    }

    fn unparker(&self) -> Box<dyn Fn() + Send + Sync> {
        let interrupt = self.reactor.interrupt();
        Box::new(move || interrupt.interrupt())
    }
}

/// Each connection is a descriptor: takes as many as this user may have, not only as many as a shell gives.
fn allow_many_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Refused, it stays as it was, and so many connections there are.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Gives the gateway of the guest before the time to close its doors.
fn wait_for_door(forward: &Forward) {
    let start = std::time::Instant::now();
    let taken = || TcpListener::bind(forward.host).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
    while forward.service.protocol == Protocol::Tcp && start.elapsed() < PATIENCE && taken() {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// As a forward is written: `tcp:127.0.0.1:8080:80`.
fn text(forward: &Forward) -> String {
    let protocol = match forward.service.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    format!("{protocol}:{}:{}", forward.host, forward.service.port)
}

fn outer(forward: &Forward) -> mirage_usernet::Forward {
    let transport = match forward.service.protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
    };
    mirage_usernet::Forward { transport, host: forward.host, guest: forward.service.port }
}

fn inner(forward: &mirage_usernet::Forward) -> Forward {
    let protocol = match forward.transport {
        Transport::Tcp => Protocol::Tcp,
        Transport::Udp => Protocol::Udp,
    };
    Forward { host: forward.host, service: Service { protocol, port: forward.guest } }
}

#[cfg(test)]
mod tests {
    use std::future::{Future as _, poll_fn};
    use std::io::Read;
    use std::net::{SocketAddr, TcpStream};
    use std::pin::pin;
    use std::rc::Rc;
    use std::sync::mpsc::{Sender, channel};
    use std::thread;

    use mirage_clock::Sleep as _;
    use mirage_flow::{Direction, Shutdown as _};
    use mirage_stack::{ListenOptions, Stack as _, TcpListener as _, TcpOptions};
    use mirage_tcpip::{Sizes, Stack, Storage};

    use super::super::cable;
    use super::*;

    const MTU: u16 = 1_500;
    const MUCH: usize = 8_000_000;

    /// Runs `guest` with a stack at one end of a cable and a gateway with one forward at the other, and, when it says so,
    /// `host` with where the forward is.
    fn with_gateway(
        guest: impl AsyncFnOnce(&Stack<'static, Cable>, Sender<()>),
        host: impl FnOnce(SocketAddr) + Send + 'static,
    ) {
        let (near, far) = cable::ends().expect("descriptors");
        let (said, words) = io::pipe().expect("descriptors");
        let forward = "127.0.0.1:0:80".parse().expect("a forward");
        let gateway = thread::spawn(move || serve(far, MTU, &[forward], words).map_err(|error| error.to_string()));
        let said: Vec<_> = BufReader::new(said).lines().map_while(Result::ok).take(2).collect();
        assert_eq!(said[1], READY);
        let forward: Forward = said[0].parse().expect("a forward");
        let (begin, begins) = channel();
        let host = thread::spawn(move || {
            begins.recv().expect("the guest says when");
            host(forward.host);
        });

        let reactor = Reactor::new().expect("descriptors");
        let near = Cable::new(&reactor, near, MacAddress([2, 0, 0, 0, 0, 1]), MTU.into()).expect("descriptors");
        let mut random = SeededGenerator::new(&mut KernelEntropy).expect("entropy");
        let sizes = Sizes { connections: 16, blocks: 1_024, ..Sizes::default() };
        let stack = Stack::new(near, mirage_tcpip::Config::default(), Storage::allocate(sizes), &mut random);
        stack.add_address("10.0.2.15/24".parse().expect("an address")).expect("room");
        stack.set_gateway("10.0.2.2".parse().expect("an address")).expect("room");
        let stack = Rc::new(stack);
        let executor = Executor::new(Host { reactor }, 1);
        let (runs, timer) = (stack.clone(), executor.timer());
        executor.spawner().spawn(async move { _ = runs.run(&timer, &timer).await }).expect("room");
        let timer = executor.timer();
        executor.block_on(async {
            let mut guest = pin!(guest(&stack, begin));
            let mut limit = pin!(timer.sleep_until(MonotonicClock.now() + mirage_clock::Duration::from_secs(30)));
            poll_fn(|cx| {
                assert!(limit.as_mut().poll(cx).is_pending(), "it takes too long");
                guest.as_mut().poll(cx)
            })
            .await;
        });

        host.join().expect("the host's side is content");
        drop((executor, stack));
        assert_eq!(gateway.join().expect("no panic"), Ok(()), "it ends with the guest");
    }

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|at| ((at * 31) >> 3) as u8).collect()
    }

    #[test]
    fn a_program_of_the_host_is_served_by_the_guest() {
        with_gateway(
            async |stack, begin| {
                let mut door =
                    stack.listen("0.0.0.0:80".parse().expect("one"), ListenOptions::default()).expect("room");
                begin.send(()).expect("the host waits");
                let mut stream = door.accept().await.expect("one comes");
                for piece in content(MUCH).chunks(10_000) {
                    embedded_io_async::Write::write_all(&mut stream, piece).await.expect("it reads");
                }
                stream.shutdown(Direction::Write).await.expect("it reads");
                assert_eq!(
                    embedded_io_async::Read::read(&mut stream, &mut [0]).await,
                    Ok(0),
                    "it has read all and closes"
                );
            },
            |address| {
                let mut bytes = Vec::new();
                TcpStream::connect(address).and_then(|mut stream| stream.read_to_end(&mut bytes)).expect("all comes");
                assert!(bytes == content(MUCH), "{} bytes came", bytes.len());
            },
        );
    }

    #[test]
    fn the_guest_reaches_a_program_of_the_host_by_the_gateways_address() {
        let server = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = server.local_addr().expect("bound").port();
        with_gateway(
            async move |stack, begin| {
                begin.send(()).expect("the host waits");
                let to = SocketAddr::new([10, 0, 2, 2].into(), port);
                let mut stream = stack.connect(to, TcpOptions::default()).await.expect("somebody listens");
                let (mut bytes, mut buffer) = (Vec::<u8>::new(), vec![0; 10_000]);
                loop {
                    match embedded_io_async::Read::read(&mut stream, &mut buffer).await.expect("all comes") {
                        0 => break,
                        len => bytes.extend_from_slice(&buffer[..len]),
                    }
                }
                assert!(bytes == content(MUCH), "{} bytes came", bytes.len());
            },
            move |_| server.accept().and_then(|(mut stream, _)| stream.write_all(&content(MUCH))).expect("it reads"),
        );
    }

    #[test]
    fn a_forward_survives_its_text_and_the_gateways_words() {
        for text in ["tcp:127.0.0.1:8080:80", "udp:[::1]:5353:53", "tcp:0.0.0.0:0:7"] {
            let forward: Forward = text.parse().expect(text);
            assert_eq!(super::text(&forward), text);
            assert_eq!(inner(&outer(&forward)), forward);
        }
    }
}
