//! The addresses of ours that datagrams come to, numbered for [`Path::local`].
//!
//! A socket on 0.0.0.0 or :: hears all addresses of the machine, and addresses come and go. A reply
//! must leave from the address that the datagram came to: clients and their firewalls drop
//! it otherwise. So every address seen gets a number, the same in all workers, because they hand
//! paths to each other.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use liandong_sfu_core::ids::Path;

/// A socket and, where it hears several, which address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Local {
    pub socket: u8,
    pub ip: Option<IpAddr>,
}

/// What all workers know. Only grows, up to the numbers that a path has room for.
#[derive(Debug)]
pub(crate) struct Locals(Mutex<Vec<Local>>);

/// One worker's copy: no lock for addresses that it has met.
#[derive(Debug)]
pub(crate) struct KnownLocals {
    shared: Arc<Locals>,
    known: Vec<Local>,
}

impl Locals {
    /// The first numbers are those of the sockets themselves.
    pub(crate) fn new(sockets: usize) -> Self {
        let of = |socket| Local {
            socket: socket as u8,
            ip: None,
        };
        Self(Mutex::new((0..sockets).map(of).collect()))
    }
}

impl KnownLocals {
    pub(crate) fn new(shared: Arc<Locals>) -> Self {
        let mut this = Self {
            shared,
            known: Vec::new(),
        };
        this.learn(None);
        this
    }

    /// The number of that socket and address. More addresses than numbers: that of
    /// the socket, and the kernel chooses where replies leave from.
    pub(crate) fn number(&mut self, local: Local) -> u8 {
        let at = |known: &[Local]| known.iter().position(|k| *k == local);
        let place = at(&self.known).or_else(|| {
            self.learn(Some(local));
            at(&self.known)
        });
        place.map_or(local.socket, |place| place as u8)
    }

    /// What the number stands for; another worker may have given it.
    pub(crate) fn get(&mut self, number: u8) -> Option<Local> {
        let place = usize::from(number);
        if place >= self.known.len() && number != Path::TCP {
            self.learn(None);
        }
        self.known.get(place).copied()
    }

    fn learn(&mut self, new: Option<Local>) {
        let shared = &self.shared.0;
        let mut all = shared.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(new) = new
            && !all.contains(&new)
            && all.len() < usize::from(Path::TCP)
        {
            all.push(new);
        }
        self.known.clone_from(&all);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn local(last: u8) -> Local {
        Local {
            socket: 1,
            ip: Some(Ipv4Addr::new(192, 0, 2, last).into()),
        }
    }

    #[test]
    fn workers_agree_on_numbers_and_run_out_gently() {
        let shared = Arc::new(Locals::new(2));
        let mut a = KnownLocals::new(shared.clone());
        let mut b = KnownLocals::new(shared);
        assert_eq!(a.number(local(9)), 2);
        assert_eq!(b.number(local(8)), 3);
        assert_eq!(b.number(local(9)), 2);
        assert_eq!(a.get(3), Some(local(8)));
        assert_eq!(a.get(0).map(|l| (l.socket, l.ip)), Some((0, None)));
        assert_eq!(a.get(Path::TCP), None);
        let mut last = 0;
        for i in 10..=255 {
            last = last.max(a.number(local(i)));
        }
        assert_eq!(a.get(4), Some(local(10)));
        assert_eq!(last, 249);
        for i in 0..=255 {
            let other = Local {
                socket: 0,
                ..local(i)
            };
            last = last.max(a.number(other));
        }
        assert_eq!(last, Path::TCP - 1);
        let beyond = Local {
            socket: 0,
            ..local(255)
        };
        assert_eq!(a.number(beyond), 0);
    }
}
