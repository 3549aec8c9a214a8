//! Lines about what the machine and its peers are like.

use core::net::SocketAddr;

use mirage_tcp::{Marking, Probing, Profile};

use super::super::number::{parse, parse_time};
use super::super::script::Line;
use super::super::support::Peer;
use super::{End, Play};

impl<P: Profile> Play<P> {
    /// Takes a line that sets something; `false` if it is no such line.
    pub(super) fn set(&mut self, line: &Line<'_>) -> Result<bool, String> {
        match line.words[..] {
            ["config", name, value] => self.before_start()?.set_config(name, value)?,
            ["sizes", name, value] => self.before_start()?.set_size(name, parse(value)?)?,
            ["peer", name, ref settings @ ..] => self.set_peer(name, settings)?,
            _ => {
                if line.peer != super::SOMEBODY && !self.peers.contains_key(line.peer) {
                    return Err(format!("nobody introduced `{}`", line.peer));
                }
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn before_start(&mut self) -> Result<&mut Self, String> {
        if self.host.is_some() { Err("too late: the machine runs".to_owned()) } else { Ok(self) }
    }

    /// A peer, new or with another window. What is not said of a new one is as of the first.
    fn set_peer(&mut self, name: &str, settings: &[&str]) -> Result<(), String> {
        let first = self.peer(super::SOMEBODY).peer.clone();
        let mut fresh = !self.peers.contains_key(name);
        let mut peer = self.peers.get(name).map_or(first.clone(), |end| end.peer.clone());
        for setting in settings.chunks(2) {
            match *setting {
                ["window", window] => peer.window = parse(window)?,
                ["here", port] => peer.here.set_port(parse(port)?),
                ["port", port] => peer.there.set_port(parse(port)?),
                ["address", address] => {
                    peer.there = SocketAddr::new(address.parse().map_err(|_| "no address")?, peer.there.port());
                }
                // A number of the first peer's, for who comes after it.
                ["iss", number] => (peer.iss, fresh) = (first.iss.wrapping_add(parse(number)?), true),
                _ => return Err(format!("`{}` says nothing about a peer", setting.join(" "))),
            }
        }
        if fresh {
            self.peers.insert(name.to_owned(), End::new(Peer { irs: 0, ..peer }));
        } else if let Some(end) = self.peers.get_mut(name) {
            end.peer = peer;
        }
        Ok(())
    }

    fn set_config(&mut self, name: &str, value: &str) -> Result<(), String> {
        let config = &mut self.config;
        match name {
            "receive_window" => config.receive_window = parse(value)?,
            "send_buffer" => config.send_buffer = parse(value)?,
            "initial_rto" => config.initial_rto = parse_time(value)?,
            "min_rto" => config.min_rto = parse_time(value)?,
            "max_rto" => config.max_rto = parse_time(value)?,
            "delayed_ack" => config.delayed_ack = parse_time(value)?,
            "syn_retries" => config.syn_retries = parse(value)?,
            "syn_ack_retries" => config.syn_ack_retries = parse(value)?,
            "user_timeout" => config.user_timeout = parse_time(value)?,
            "fin_wait_2" => config.fin_wait_2 = parse_time(value)?,
            "time_wait" => config.time_wait = parse_time(value)?,
            "out_of_order_bytes" => config.out_of_order_bytes = parse(value)?,
            "out_of_order_ranges" => config.out_of_order_ranges = parse(value)?,
            "min_mss" => config.min_mss = parse(value)?,
            "default_mss" => config.default_mss = parse(value)?,
            "selective" => config.selective = value == "on",
            "timestamps" => config.timestamps = value == "on",
            "ecn" => {
                config.ecn = match value {
                    "never" => Marking::Never,
                    "accept" => Marking::Accept,
                    "ask" => Marking::Ask,
                    "accurate" => Marking::Accurate,
                    _ => return Err("never, accept, ask or accurate".to_owned()),
                }
            }
            "probing" => {
                config.probing = match value {
                    "never" => Probing::Never,
                    "black_hole" => Probing::BlackHole,
                    "always" => Probing::Always,
                    _ => return Err("never, black_hole or always".to_owned()),
                }
            }
            "quick_acks" => config.quick_acks = parse(value)?,
            "initial_window" => config.initial_window = parse(value)?,
            "resets_per_second" => config.resets_per_second = parse(value)?,
            "challenges_per_second" => config.challenges_per_second = parse(value)?,
            _ => return Err(format!("no setting `{name}`")),
        }
        Ok(())
    }

    fn set_size(&mut self, name: &str, value: usize) -> Result<(), String> {
        let sizes = &mut self.sizes;
        *match name {
            "connections" => &mut sizes.connections,
            "time_wait" => &mut sizes.time_wait,
            "half_open" => &mut sizes.half_open,
            "blocks" => &mut sizes.blocks,
            _ => return Err(format!("no size `{name}`")),
        } = value;
        Ok(())
    }
}
