//! What was known before a loss, to be known again if nothing was lost (draft-ietf-ccwg-bbr §5.5.11).

use crate::bbr::Bbr;
use crate::full_pipe::FullPipe;
use crate::state::State;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Undo {
    bw_shortterm: u64,
    inflight_shortterm: u32,
    inflight_longterm: u32,
}

impl Undo {
    pub(crate) const NOTHING: Self = Self { bw_shortterm: 0, inflight_shortterm: 0, inflight_longterm: 0 };
}

impl Bbr {
    pub(crate) fn save_state(&mut self) {
        self.save_cwnd();
        self.undo_state = None;
        self.undo = Undo {
            bw_shortterm: self.bw_shortterm,
            inflight_shortterm: self.inflight_shortterm,
            inflight_longterm: self.inflight_longterm,
        };
    }

    pub(crate) fn save_cwnd(&mut self) {
        self.prior_cwnd =
            if self.recovering || self.state == State::ProbeRtt { self.prior_cwnd.max(self.cwnd) } else { self.cwnd };
    }

    pub(crate) fn restore_cwnd(&mut self) {
        self.cwnd = self.cwnd.max(self.prior_cwnd);
    }

    pub(crate) fn restore_state(&mut self) {
        let undo = core::mem::replace(&mut self.undo, Undo::NOTHING);
        self.restore_cwnd();
        self.loss_in_round = false;
        self.full_pipe = FullPipe::default();
        self.bw_shortterm = self.bw_shortterm.max(undo.bw_shortterm);
        self.inflight_shortterm = self.inflight_shortterm.max(undo.inflight_shortterm);
        self.inflight_longterm = self.inflight_longterm.max(undo.inflight_longterm);
        match self.undo_state.take() {
            Some(State::Startup) if self.state != State::Startup => {
                self.full_bw_reached = false;
                if self.state != State::ProbeRtt {
                    self.state = State::Startup;
                }
            }
            Some(State::Up) if self.state != State::Up && self.state != State::ProbeRtt => {
                self.start_refill(self.total);
            }
            _ => {}
        }
    }
}
