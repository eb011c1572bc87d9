//! Whether another run is under way on this machine: two runs disturb each other.

use std::io::{self, ErrorKind};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

/// Held while a run measures. An abstract socket ends with its process, however that ends, and no
/// child inherits it.
#[derive(Debug)]
pub struct Alone {
    _listener: UnixListener,
}

impl Alone {
    /// `None` if another process holds this name.
    ///
    /// # Errors
    /// The system has no such sockets.
    pub fn claim(name: &str) -> io::Result<Option<Alone>> {
        let address = SocketAddr::from_abstract_name(name)?;
        match UnixListener::bind_addr(&address) {
            Ok(_listener) => Ok(Some(Alone { _listener })),
            Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claim_is_refused_while_another_holds_it_and_free_after() {
        let name = format!("forkbench-test-{}", std::process::id());
        let held = Alone::claim(&name).unwrap();
        assert!(held.is_some());
        assert!(Alone::claim(&name).unwrap().is_none());
        drop(held);
        assert!(Alone::claim(&name).unwrap().is_some());
    }
}
