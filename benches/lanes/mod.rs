//! The lanes, by kind.

pub(crate) mod floor_fork;
pub(crate) mod instrument;
pub(crate) mod kernel;
pub(crate) mod memory;
pub(crate) mod ping_pong;
pub(crate) mod program;
pub(crate) mod subject;
pub(crate) mod thread;
