//! A program whose first thread ends while another one goes on, so that `/proc/PID/stat` says `Z` of a process that has
//! not ended. It listens on TCP port 80 then, writes `ready`, and ends with code 7 when somebody sends it anything.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::process::exit;
use std::thread;

const EXIT_CODE: i32 = 7;

fn main() {
    thread::spawn(serve);
    // SAFETY: the call ends this thread and touches no memory. Nothing that this thread has is used by the other one.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

fn serve() {
    while !first_thread_has_ended() {
        thread::yield_now();
    }
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).expect("nobody else is here");
    println!("ready");
    for mut connection in listener.incoming().flatten() {
        if connection.read(&mut [0]).is_ok_and(|length| length > 0) {
            exit(EXIT_CODE);
        }
    }
}

fn first_thread_has_ended() -> bool {
    let stat = fs::read_to_string("/proc/self/stat").expect("a container has /proc");
    stat.rsplit(") ")
        .next()
        .is_some_and(|fields| fields.starts_with('Z'))
}
