//! Calls that 32-bit programs on x86 can make by two numbers: their own, and that of `socketcall` or `ipc`, whose first
//! argument then says which is meant. What such a call is made with lies in memory, where no filter can look.

use super::architecture::Architecture;

/// The ways round, as linux/net.h and linux/ipc.h number them.
const SOCKETS: &[(&str, u64)] = &[
    ("socket", 1),
    ("bind", 2),
    ("connect", 3),
    ("listen", 4),
    ("accept", 5),
    ("getsockname", 6),
    ("getpeername", 7),
    ("socketpair", 8),
    ("send", 9),
    ("recv", 10),
    ("sendto", 11),
    ("recvfrom", 12),
    ("shutdown", 13),
    ("setsockopt", 14),
    ("getsockopt", 15),
    ("sendmsg", 16),
    ("recvmsg", 17),
    ("accept4", 18),
    ("recvmmsg", 19),
    ("sendmmsg", 20),
];

const IPC: &[(&str, u64)] = &[
    ("semop", 1),
    ("semget", 2),
    ("semctl", 3),
    ("semtimedop", 4),
    ("msgsnd", 11),
    ("msgrcv", 12),
    ("msgget", 13),
    ("msgctl", 14),
    ("shmat", 21),
    ("shmdt", 22),
    ("shmget", 23),
    ("shmctl", 24),
];

/// By which other call this one can be made, too, and what that call's first argument is then.
pub fn way_round(architecture: Architecture, name: &str) -> Option<(&'static str, u64)> {
    if architecture != Architecture::X86 {
        return None;
    }
    let among = |calls: &[(&str, u64)]| calls.iter().find(|(call, _)| *call == name).map(|it| it.1);
    let socket = among(SOCKETS).map(|number| ("socketcall", number));
    socket.or_else(|| among(IPC).map(|number| ("ipc", number)))
}
