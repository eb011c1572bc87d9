//! Programs with a message channel: one task (`fork-ipc`) or many (`pool`).

use crate::protocol::conn::Conn;
use crate::protocol::{Header, Kind};
use crate::strategy::channel::{self, Served, serve_one};
use crate::sys::clock::now_ns;
use crate::sys::{affinity, socket};
use crate::workload::Spec;

/// `ipc SPEC…`: one task over the socket on standard input.
pub fn ipc(args: &[String], child_start: u64) -> Result<(), String> {
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
pub fn worker(args: &[String]) -> Result<(), String> {
    let mut conn = take_socket()?;
    let prepared = Spec::from_args(args).and_then(|spec| spec.workload()?.prepare(&spec));
    match prepared {
        Ok(input) => channel::serve(&mut conn, &*input)
            .map_err(|error| format!("talk over the channel: {error}")),
        Err(reason) => {
            conn.push(Header::new(Kind::Failed, 0), &[reason.as_bytes()]);
            // The pool may be gone; the reason goes to standard error as well.
            let _ = conn.flush();
            Err(reason)
        }
    }
}

fn take_socket() -> Result<Conn, String> {
    affinity::move_child();
    let socket = socket::take_stdin().map_err(|error| format!("take the channel: {error}"))?;
    Ok(Conn::blocking(socket))
}
