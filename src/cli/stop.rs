//! Ctrl-C, and SIGTERM, with which `kill`, containers and schedulers ask a process to end.
//!
//! SIGHUP is left as it is: `nohup` has it ignored.

use super::Failure;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Calls `stop` when somebody asks this process to end. Who asks twice does not want to wait: then it ends at once, and
/// leaves partial files for the next command to clear away.
pub(super) fn when_asked(stop: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|error| Failure::bad_input(format!("error: cannot listen for Ctrl-C: {error}")))?;
    std::thread::spawn(move || {
        let mut asked = signals.forever();
        asked.next();
        stop();
        asked.next();
        std::process::exit(130);
    });
    Ok(())
}
