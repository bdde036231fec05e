//! `serve`: a page on this machine, on which settings can be moved and the answer seen.

use super::Failure;
use std::net::IpAddr;
use std::path::PathBuf;

/// The incident was at 02:47.
const DEFAULT_PORT: u16 = 2470;

/// Move settings on a page and see what the outage costs then
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example: failover-sim serve experiments/01_incident_3am/any_phase_60s.toml
The page is for this machine alone. It keeps nothing and writes nothing: copy what you found as TOML.
Ctrl-C ends it, with exit code 0.")]
pub struct ServeArgs {
    /// A scenario file
    #[arg(value_name = "SCENARIO")]
    path: PathBuf,
    /// Which port to listen on; 0 for any that is free
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = DEFAULT_PORT, value_parser = port)]
    port: u16,
    /// Which address to listen on; one that others can reach needs `--allow-remote`
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1", value_parser = host)]
    host: IpAddr,
    /// Let anybody ask who can reach the address: there is no password
    #[arg(long)]
    allow_remote: bool,
    /// How many runs an answer has; without it, 100
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::whole::<1, { super::RUNS_MAX }>)]
    runs: Option<u64>,
    /// The seed of all random numbers: the same seed gives the same numbers
    #[arg(long, value_name = "N", allow_negative_numbers = true, default_value_t = super::DEFAULT_SEED, value_parser = super::whole::<0, { u64::MAX }>)]
    seed: u64,
    /// Change a setting before the page opens: `gateway.health_check.interval=5s`; may be given again
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// How many threads to use; without it, one for each core. The results are the same
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::whole::<1, { super::THREADS_MAX }>)]
    threads: Option<u64>,
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write a whole number from 0 to 65535".to_owned())
}

fn host(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(IpAddr::from([127, 0, 0, 1])),
        _ => text.parse().map_err(|_| "write an address, such as 127.0.0.1 or ::1".to_owned()),
    }
}

impl ServeArgs {
    #[cfg(not(feature = "serve"))]
    pub(super) fn execute(&self) -> Result<(), Failure> {
        Err(Failure::refused(
            "this build has no what-if page",
            "build it without `--no-default-features`, or with `--features serve`",
        ))
    }

    #[cfg(feature = "serve")]
    pub(super) fn execute(&self) -> Result<(), Failure> {
        use crate::job::Opened;
        use crate::serve::{Hosts, Server};
        use std::io::Write;
        use std::net::SocketAddr;

        if !self.host.is_loopback() && !self.allow_remote {
            return Err(Failure::refused(
                format!("{} can be reached from other machines, and the page has no password", self.host),
                "leave out `--host`, or add `--allow-remote` to let anybody use it who can reach it",
            ));
        }
        let mut document = Opened::read_one(&self.path)?;
        for assignment in &self.set {
            document.set_text(assignment)?;
        }
        super::start_threads(self.threads);
        let runs = self.runs.unwrap_or(crate::job::DEFAULT_RUNS);
        let what_if = crate::serve::WhatIf::new(document, self.seed, runs, &())?;
        let played = what_if.runs();
        let address = SocketAddr::new(self.host, self.port);
        let hosts = if self.allow_remote { Hosts::Any } else { Hosts::Loopback };
        let server = Server::bind(what_if, address, hosts).map_err(|error| cannot_listen(address, &error))?;
        let stopper = server.stopper();
        super::stop::when_asked(move || stopper.stop())?;
        super::print_out(&format!("http://{}/\n", server.address()))?;
        // Where nobody listens to standard error, there is nobody to tell.
        let _ = writeln!(std::io::stderr(), "open this page in a browser; Ctrl-C ends it");
        if played < runs {
            let note = format!("note: {runs} runs take too long for a page, so it plays {played}");
            let _ = writeln!(std::io::stderr(), "{note}");
        }
        server.run().map_err(|error| Failure::bad_input(format!("error: the page cannot be served: {error}")))
    }
}

/// Why there is no server, and what to do about it.
#[cfg(feature = "serve")]
fn cannot_listen(address: std::net::SocketAddr, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let port = address.port();
    let (message, help) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!("port {port} of {} is in use", address.ip()),
            "choose another with `--port`, or `--port 0` for any that is free",
        ),
        ErrorKind::PermissionDenied => (
            format!("port {port} takes rights that you do not have"),
            "choose one above 1023 with `--port`, or `--port 0` for any that is free",
        ),
        ErrorKind::AddrNotAvailable => (
            format!("{} is no address of this machine", address.ip()),
            "leave out `--host`, or name an address that this machine has",
        ),
        _ => (format!("cannot listen on {address}: {error}"), "choose another address or port"),
    };
    Failure::refused(message, help)
}

#[cfg(feature = "serve")]
impl From<crate::serve::Refusal> for Failure {
    fn from(refusal: crate::serve::Refusal) -> Self {
        use crate::serve::Refusal;
        match refusal {
            Refusal::BadInput(problems) | Refusal::TooMuch(problems) => problems.into(),
            Refusal::Cancelled => Failure::interrupted(),
            Refusal::Bug(what) => Failure::bad_input(format!("error: {what}")),
        }
    }
}
