//! The subject's start: takes the socket, is configured, starts the strategy, runs the loop.

use std::io;
use std::path::PathBuf;

use super::host::Host;
use crate::protocol::conn::Conn;
use crate::protocol::{Configure, Frame, Header, Kind};
use crate::strategy::{self, Setup};
use crate::sys::poller::Poller;
use crate::sys::socket;

/// Serves the socket on standard input until it is told to stop or the driver hangs up.
pub fn serve() -> Result<(), String> {
    let fail = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("{what}: {error}")
    };
    let socket = socket::take_stdin().map_err(fail("take the driver's socket"))?;
    let mut conn = Conn::blocking(socket);
    let Some(configure) = read_configure(&mut conn)? else {
        return Ok(());
    };
    let poller = Poller::new().map_err(fail("make an epoll instance"))?;
    let started = start(&configure, &poller);
    let (kind, strategy) = match started {
        Ok(started) => started,
        Err(reason) => {
            conn.push(Header::new(Kind::Failed, 0), &[reason.as_bytes()]);
            // A driver that is gone needs no reason; standard error has it as well.
            let _ = conn.flush();
            return Err(reason);
        }
    };
    conn.set_nonblocking().map_err(fail("make the driver's socket non-blocking"))?;
    Host::new(conn, &poller, &configure, kind, strategy)?.run().map_err(fail("serve"))
}

fn start(
    configure: &Configure,
    poller: &Poller,
) -> Result<(&'static strategy::Kind, Box<dyn strategy::Strategy>), String> {
    let kind = strategy::by_name(&configure.strategy)
        .ok_or_else(|| format!("unknown strategy `{}`", configure.strategy))?;
    let program = match &configure.child_program {
        Some(program) => PathBuf::from(program),
        None => {
            std::env::current_exe().map_err(|e| format!("find this program's own file: {e}"))?
        }
    };
    let setup = Setup {
        spec: &configure.spec,
        options: &configure.strategy_options,
        ballast_bytes: configure.ballast_bytes,
        program,
        poller,
    };
    Ok((kind, (kind.start)(setup)?))
}

/// Waits for the first frame; `None` when the driver hangs up instead.
fn read_configure(conn: &mut Conn) -> Result<Option<Configure>, String> {
    match conn.wait_frame() {
        Ok(Some(Frame { header, body })) if header.kind == Kind::Configure => {
            let configure = serde_json::from_slice(&body);
            configure.map(Some).map_err(|error| format!("read CONFIGURE: {error}"))
        }
        Ok(Some(frame)) => Err(format!("the first frame is {:?}", frame.header.kind)),
        Ok(None) => Ok(None),
        Err(error) => Err(format!("read CONFIGURE: {error}")),
    }
}
