//! The least that sending sealed packets one by one can cost.
#![allow(unsafe_code)]

use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use anyhow::{Result, ensure};
use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::clients::Clients;

const SINKS: usize = 32;
const PAYLOAD: usize = 1_200;
const HEADER: usize = 12;
const TAG: usize = 16;
const PACKET: usize = HEADER + PAYLOAD + TAG;
/// Calls of one burst, so that the sinks' buffers hold it.
const BURST: usize = 8;
const PAUSE: Duration = Duration::from_millis(4);
const BURSTS: usize = 250;

pub struct Raw {
    clients: Clients,
    socket: UdpSocket,
    names: Vec<libc::sockaddr_in>,
    key: LessSafeKey,
    source: Vec<u8>,
    packets: Vec<u8>,
    counter: u64,
}

impl Raw {
    pub async fn start() -> Result<Self> {
        let mut clients = Clients::start().await?;
        let ports = clients.sinks(SINKS).await?;
        let name = |port: u16| libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: port.to_be(),
            sin_addr: libc::in_addr {
                s_addr: u32::from(Ipv4Addr::LOCALHOST).to_be(),
            },
            sin_zero: [0; 8],
        };
        let key = UnboundKey::new(&AES_128_GCM, &[7; 16]);
        Ok(Self {
            clients,
            socket: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?,
            names: ports.into_iter().map(name).collect(),
            key: LessSafeKey::new(key.map_err(|_| anyhow::anyhow!("no AES"))?),
            source: vec![0x5a; PAYLOAD],
            packets: vec![0; PACKET * SINKS],
            counter: 0,
        })
    }

    /// This thread's CPU time per packet, in ns.
    pub async fn round(&mut self) -> Result<f64> {
        let mut spent = Duration::ZERO;
        for _ in 0..BURSTS {
            let before = thread_cpu();
            for _ in 0..BURST {
                self.call()?;
            }
            spent += thread_cpu() - before;
            tokio::time::sleep(PAUSE).await;
        }
        let sent = (BURSTS * BURST * SINKS) as u64;
        let received = self.clients.received().await?;
        ensure!(received * 100 >= sent * 99, "{received} of {sent} arrived");
        Ok(spent.as_nanos() as f64 / received as f64)
    }

    fn call(&mut self) -> Result<()> {
        for packet in self.packets.chunks_exact_mut(PACKET) {
            self.counter += 1;
            let mut nonce = [0; 12];
            nonce[4..].copy_from_slice(&self.counter.to_be_bytes());
            let (header, rest) = packet.split_at_mut(HEADER);
            header[4..].copy_from_slice(&self.counter.to_be_bytes());
            let (payload, trailer) = rest.split_at_mut(PAYLOAD);
            payload.copy_from_slice(&self.source);
            let nonce = Nonce::assume_unique_for_key(nonce);
            let tag = self
                .key
                .seal_in_place_separate_tag(nonce, Aad::from(&*header), payload)
                .map_err(|_| anyhow::anyhow!("not sealed"))?;
            trailer.copy_from_slice(tag.as_ref());
        }
        let mut vectors: Vec<libc::iovec> = self
            .packets
            .chunks_exact_mut(PACKET)
            .map(|packet| libc::iovec {
                iov_base: packet.as_mut_ptr().cast(),
                iov_len: packet.len(),
            })
            .collect();
        let mut headers: Vec<libc::mmsghdr> = vectors
            .iter_mut()
            .zip(&mut self.names)
            .map(|(vector, name)| {
                // SAFETY: integers and raw pointers, for which zero is a valid value.
                let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
                header.msg_hdr.msg_name = (&raw mut *name).cast();
                header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
                header.msg_hdr.msg_iov = vector;
                header.msg_hdr.msg_iovlen = 1;
                header
            })
            .collect();
        // SAFETY: the headers point to names and vectors, these to packets; all live on.
        let sent = unsafe {
            libc::sendmmsg(
                self.socket.as_raw_fd(),
                headers.as_mut_ptr(),
                headers.len() as libc::c_uint,
                0,
            )
        };
        ensure!(sent == SINKS as i32, "sendmmsg sent {sent}");
        Ok(())
    }
}

/// User and system time of the calling thread.
fn thread_cpu() -> Duration {
    let mut at = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `at` is writable; every thread has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut at) };
    Duration::new(at.tv_sec as u64, at.tv_nsec as u32)
}
