//! Reservations in network namespaces of their own, against the real kernel.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrIn, bind, connect, listen, recv,
    setsockopt, socket, sockopt,
};

use super::*;
use crate::publish::parse_publish;

mod dual_stack;

const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Runs the test on a thread that has a network namespace to itself, with the loopback interface up.
fn in_own_network<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let run = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        set_loopback_up();
        test()
    };
    thread::scope(|scope| scope.spawn(run).join().unwrap())
}

fn set_loopback_up() {
    let socket = UdpSocket::bind((EVERYWHERE, 0)).unwrap();
    // SAFETY: all-zero bytes are a valid `ifreq`, which is made of integers and a union of plain data.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_name[..2].copy_from_slice(&[b'l' as libc::c_char, b'o' as libc::c_char]);
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, and `request` is one that lives until the call returns.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    assert_eq!(result, 0, "{}", io::Error::last_os_error());
}

fn requests(texts: &[&str]) -> Vec<PublishRequest> {
    texts
        .iter()
        .flat_map(|text| parse_publish(text).unwrap())
        .collect()
}

fn reserve_all(texts: &[&str]) -> Result<Vec<Reservation>, ReservationError> {
    reserve(&requests(texts), &[EVERYWHERE], &[])
}

fn shown(reservations: &[Reservation]) -> Vec<String> {
    reservations
        .iter()
        .map(|reservation| reservation.publication.to_string())
        .collect()
}

fn set_dynamic_ports(range: &str, reserved: &str) {
    fs::write("/proc/sys/net/ipv4/ip_local_port_range", range).unwrap();
    fs::write("/proc/sys/net/ipv4/ip_local_reserved_ports", reserved).unwrap();
}

#[test]
fn named_ports_are_taken_as_named_and_in_the_order_of_the_requests() {
    in_own_network(|| {
        let held = reserve_all(&[
            "8080:80",
            "127.0.0.1:53:53/udp",
            "53:53",
            "127.0.0.2:8081-8082:81-82",
        ])
        .unwrap();
        assert_eq!(
            shown(&held),
            [
                "0.0.0.0:8080->80/tcp",
                "127.0.0.1:53->53/udp",
                "0.0.0.0:53->53/tcp",
                "127.0.0.2:8081->81/tcp",
                "127.0.0.2:8082->82/tcp",
            ]
        );
    });
}

#[test]
fn the_default_address_serves_requests_without_one() {
    in_own_network(|| {
        let held = reserve(&requests(&["8080:80"]), &[Ipv4Addr::LOCALHOST.into()], &[]).unwrap();
        assert_eq!(shown(&held), ["127.0.0.1:8080->80/tcp"]);
    });
}

#[test]
fn a_port_of_another_program_is_named_in_the_error() {
    in_own_network(|| {
        let _tcp = TcpListener::bind("127.0.0.1:8080").unwrap();
        let _udp = UdpSocket::bind("127.0.0.1:5353").unwrap();
        let error = reserve_all(&["9000:90", "8080:80"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot publish on host port `0.0.0.0:8080/tcp`: the port is in use"
        );
        assert!(error.hint().unwrap().contains("ss -Hltnp sport = :8080"));
        assert!(matches!(
            reserve_all(&["5353:53/udp"]),
            Err(ReservationError::AddressInUse {
                address: EVERYWHERE,
                protocol: Protocol::Udp,
                ..
            })
        ));
        TcpListener::bind("127.0.0.1:9000").expect("a failed reservation keeps nothing");
    });
}

#[test]
fn a_reserved_port_cannot_be_taken_even_with_reuse() {
    in_own_network(|| {
        let _held = reserve_all(&["8080:80", "5353:53/udp"]).unwrap();
        for (kind, port) in [(SockType::Stream, 8080), (SockType::Datagram, 5353)] {
            let thief = socket(AddressFamily::Inet, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
            setsockopt(&thief, sockopt::ReuseAddr, &true).unwrap();
            let address = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
            assert_eq!(bind(thief.as_raw_fd(), &address), Err(Errno::EADDRINUSE));
        }
    });
}

#[test]
fn a_socket_bound_but_not_listening_does_not_share_the_port() {
    in_own_network(|| {
        let bound = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        )
        .unwrap();
        setsockopt(&bound, sockopt::ReuseAddr, &true).unwrap();
        bind(
            bound.as_raw_fd(),
            &SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 8080)),
        )
        .unwrap();
        let _held = reserve_all(&["8080:80"]).unwrap();
        assert_eq!(
            listen(&bound, Backlog::new(1).unwrap()),
            Err(Errno::EADDRINUSE)
        );
    });
}

#[test]
fn a_placeholder_lets_no_connection_and_no_datagram_in() {
    in_own_network(|| {
        let held = reserve_all(&["8080:80", "5353:53/udp"]).unwrap();
        let client = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_NONBLOCK,
            None,
        )
        .unwrap();
        let address = SockaddrIn::from(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080));
        assert_eq!(
            connect(client.as_raw_fd(), &address),
            Err(Errno::EINPROGRESS)
        );
        UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .send_to(b"lost", "127.0.0.1:5353")
            .unwrap();

        // A connection that does get through shows that the loopback interface has delivered what came before it.
        let listener = TcpListener::bind("127.0.0.1:8081").unwrap();
        TcpStream::connect("127.0.0.1:8081").unwrap();
        listener.accept().unwrap();

        let ready = poll(
            &mut [PollFd::new(client.as_fd(), PollFlags::POLLOUT)],
            PollTimeout::ZERO,
        )
        .unwrap();
        assert_eq!(ready, 0);
        let received = recv(
            held[1].as_fd().as_raw_fd(),
            &mut [0; 8],
            MsgFlags::MSG_DONTWAIT,
        );
        assert_eq!(received, Err(Errno::EAGAIN));
    });
}

#[test]
fn a_dropped_reservation_lets_its_port_go() {
    in_own_network(|| {
        drop(reserve_all(&["8080:80", "53:53/udp"]).unwrap());
        TcpListener::bind("127.0.0.1:8080").unwrap();
        UdpSocket::bind("127.0.0.1:53").unwrap();
    });
}

#[test]
fn a_choice_gets_the_first_free_port_until_none_is_left() {
    in_own_network(|| {
        let _foreign = TcpListener::bind("127.0.0.1:8000").unwrap();
        let _first = reserve_all(&["8000-8002:80"]).unwrap();
        let second = reserve_all(&["8000-8002:80"]).unwrap();
        assert_eq!(shown(&second), ["0.0.0.0:8002->80/tcp"]);
        let error = reserve_all(&["8000-8002:80"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot publish on host address `0.0.0.0`: every tcp port from 8000 to 8002 is in use"
        );
    });
}

#[test]
fn picked_ports_come_from_the_dynamic_range_without_reserved_ones() {
    in_own_network(|| {
        set_dynamic_ports("5000 5003", "5001");
        let held = reserve_all(&["80", "81", "82"]).unwrap();
        let mut ports: Vec<u16> = held
            .iter()
            .map(|held| held.publication.host_port.get())
            .collect();
        ports.sort_unstable();
        assert_eq!(ports, [5000, 5002, 5003]);
        assert!(matches!(
            reserve_all(&["83"]),
            Err(ReservationError::RangeExhausted { .. })
        ));
        let named = reserve_all(&["5001:83"]).unwrap();
        assert_eq!(shown(&named), ["0.0.0.0:5001->83/tcp"]);
    });
}

#[test]
fn a_pick_leaves_named_ports_to_those_that_named_them() {
    in_own_network(|| {
        set_dynamic_ports("5000 5002", "");
        let held = reserve_all(&["80", "127.0.0.1::81", "5001:82"]).unwrap();
        assert_eq!(held[2].publication.host_port.get(), 5001);
        let mut ports: Vec<u16> = held
            .iter()
            .map(|held| held.publication.host_port.get())
            .collect();
        ports.sort_unstable();
        assert_eq!(ports, [5000, 5001, 5002]);
    });
}

#[test]
fn a_container_gets_the_port_it_had_last_time_if_that_is_free() {
    in_own_network(|| {
        let sticky: [Publication; 2] =
            ["0.0.0.0:7001->80/tcp", "127.0.0.1:7002->80/tcp"].map(|text| text.parse().unwrap());
        let wanted = requests(&["80", "127.0.0.1::80", "80/udp"]);
        let held = reserve(&wanted, &[EVERYWHERE], &sticky).unwrap();
        assert_eq!(
            shown(&held)[..2],
            ["0.0.0.0:7001->80/tcp", "127.0.0.1:7002->80/tcp"]
        );
        let other = reserve(&wanted[..1], &[EVERYWHERE], &sticky).unwrap();
        assert_ne!(other[0].publication.host_port.get(), 7001);
    });
}

#[test]
fn identical_requests_count_once_and_overlapping_ones_are_refused() {
    in_own_network(|| {
        assert_eq!(
            reserve_all(&["8080:80", "8080:80", "8080:80/TCP"])
                .unwrap()
                .len(),
            1
        );
        assert_eq!(reserve_all(&["80", "80"]).unwrap().len(), 1);
        let error = reserve_all(&["80:80", "127.0.0.1:80:80"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot publish both `80:80/tcp` and `127.0.0.1:80:80/tcp`: they want the same host port; \
             leave one out or give it another host port"
        );
        for second in ["8080:81", "0.0.0.0:8080:80", "127.0.0.1:8080:81"] {
            assert!(
                matches!(
                    reserve_all(&["8080:80", second]),
                    Err(ReservationError::Conflict { .. })
                ),
                "{second}"
            );
        }
    });
}

#[test]
fn addresses_and_protocols_that_do_not_overlap_share_a_port_number() {
    in_own_network(|| {
        let held = reserve_all(&["127.0.0.1:8000:80", "127.0.0.2:8000:81", "8000:80/udp"]).unwrap();
        assert_eq!(held.len(), 3);
    });
}

#[test]
fn an_address_of_another_host_is_refused() {
    in_own_network(|| {
        for text in ["192.0.2.1:80:80", "192.0.2.1::80/udp"] {
            let error = reserve_all(&[text]).unwrap_err();
            assert!(
                error
                    .to_string()
                    .ends_with("this host has no address `192.0.2.1`"),
                "{error}"
            );
        }
    });
}

#[test]
fn a_privileged_port_needs_the_privilege() {
    in_own_network(|| {
        give_up_privileged_ports();
        let error = reserve_all(&["80:80"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot publish on host port `0.0.0.0:80/tcp`: permission denied"
        );
        reserve_all(&["8080:80"]).unwrap();
    });
}

/// Takes CAP_NET_BIND_SERVICE from the calling thread and leaves it every other capability.
fn give_up_privileged_ports() {
    const VERSION_3: u32 = 0x2008_0522;
    const NET_BIND_SERVICE: u32 = 10;
    let mut header = [VERSION_3, 0];
    // Effective, permitted and inheritable capabilities: the lower 32 of each, then the upper.
    let mut sets = [0u32; 6];
    // SAFETY: the version asks for two words of header and two times three words of sets, which is what both arrays
    // have, and they live until the call returns.
    let got = unsafe { libc::syscall(libc::SYS_capget, header.as_mut_ptr(), sets.as_mut_ptr()) };
    assert_eq!(got, 0, "{}", io::Error::last_os_error());
    sets[0] &= !(1 << NET_BIND_SERVICE);
    // SAFETY: as above; the sets are only read.
    let set = unsafe { libc::syscall(libc::SYS_capset, header.as_mut_ptr(), sets.as_ptr()) };
    assert_eq!(set, 0, "{}", io::Error::last_os_error());
}

#[test]
fn sctp_is_reserved_where_the_kernel_has_it_and_named_where_not() {
    in_own_network(|| match reserve_all(&["8080:80/sctp"]) {
        Ok(held) => {
            assert_eq!(shown(&held), ["0.0.0.0:8080->80/sctp"]);
            assert!(matches!(
                reserve_all(&["8080:80/sctp"]),
                Err(ReservationError::AddressInUse { .. })
            ));
        }
        Err(error) => assert!(
            error.to_string().ends_with("the kernel has no sctp"),
            "{error}"
        ),
    });
}

#[test]
fn a_reservation_does_not_outlive_exec() {
    in_own_network(|| {
        let held = reserve_all(&["8080:80"]).unwrap();
        // SAFETY: `F_GETFD` takes no argument and touches no memory of the process.
        let flags = unsafe { libc::fcntl(held[0].as_fd().as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC);
    });
}
