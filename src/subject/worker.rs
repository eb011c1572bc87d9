//! Programs with a message channel: one task (`fork-ipc`) or many (`pool`).

use std::io;

use crate::protocol::conn::Conn;
use crate::protocol::{Header, Kind, Ready};
use crate::strategy::channel::{Served, serve_one};
use crate::sys::clock::now_ns;
use crate::sys::{affinity, process, socket};
use crate::workload::{Input, Spec};

/// `ipc SPEC…`: one task over the socket on standard input.
pub(super) fn ipc(args: &[String], child_start: u64) -> Result<(), String> {
    let mut conn = take_socket()?;
    let spec = Spec::from_args(args)?;
    let input = spec.workload()?.prepare(&spec)?;
    serve_one(&mut conn, &*input, || child_start)
        .map_err(|error| format!("talk over the channel: {error}"))?;
    // The channel stays open, so this stays alive until it is killed or told, as a Node child
    // with a connected channel does.
    while serve_one(&mut conn, &*input, now_ns).is_ok_and(|served| served == Served::Task) {}
    Ok(())
}

/// `worker SPEC…`: tasks over the socket on standard input until it closes.
pub(super) fn worker(args: &[String]) -> Result<(), String> {
    let mut conn = take_socket()?;
    let prepared = Spec::from_args(args).and_then(|spec| spec.workload()?.prepare(&spec));
    match prepared {
        Ok(input) => {
            serve(&mut conn, &*input).map_err(|error| format!("talk over the channel: {error}"))
        }
        Err(reason) => {
            conn.push(Header::new(Kind::Failed, 0), &[reason.as_bytes()]);
            // The pool may be gone; the reason goes to standard error as well.
            let _ = conn.flush();
            Err(reason)
        }
    }
}

/// Says READY, then answers tasks until the socket closes.
///
/// # Errors
/// The socket broke, or spoke something else.
pub fn serve(conn: &mut Conn, input: &dyn Input) -> io::Result<()> {
    let ready = Ready {
        pid: std::process::id(),
        now_ns: now_ns(),
        usage: process::usage_self(),
        ..Ready::default()
    };
    let body = serde_json::to_vec(&ready).map_err(io::Error::other)?;
    conn.push(Header::new(Kind::Ready, 0), &[&body]);
    conn.flush()?;
    loop {
        conn.wait_readable()?;
        if serve_one(conn, input, now_ns)? == Served::Closed {
            return Ok(());
        }
    }
}

fn take_socket() -> Result<Conn, String> {
    affinity::move_child();
    let socket = socket::take_stdin().map_err(|error| format!("take the channel: {error}"))?;
    Ok(Conn::blocking(socket))
}
