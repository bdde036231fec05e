//! The page over HTTP: what it may be asked, by whom, and how much at a time.
//!
//! A browser that has the page open also has others open, so who asks is looked at: a name that was pointed at this machine
//! (DNS rebinding) is told by the `Host` header, another page by `Origin`, and no answer may be read from elsewhere.

use super::page::Page;
use super::{Asked, Refusal, WhatIf};
use crate::experiment::runner::Progress;
use crate::scenario::{Problem, Problems};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// The longest question.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a client may take to send a question, or to keep a connection without one.
const PATIENCE: Duration = Duration::from_secs(30);
/// Connections at a time; others wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// Questions that are simulated at a time: each uses all threads.
const SIMULATIONS_MAX: usize = 2;
/// Questions that wait for that.
const WAITING_MAX: usize = 32;
/// How long answers under way are waited for at the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Which names of this server may be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hosts {
    /// Those that always mean this machine, with the server's port.
    Loopback,
    /// Any: who can reach it may ask.
    Any,
}

/// A page that waits for browsers.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    app: Arc<App>,
}

/// Ends a server.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<App>);

impl Stopper {
    /// Has the server take no more questions, leave those that it is simulating, and end.
    pub fn stop(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
        self.0.stop.notify_one();
    }
}

#[derive(Debug)]
struct App {
    what_if: WhatIf,
    page: Page,
    hosts: Hosts,
    port: u16,
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
    is_stopping: AtomicBool,
    stop: Notify,
}

impl Server {
    /// Takes a port; 0 for any that is free.
    ///
    /// # Errors
    /// If the address is not this machine's, or the port is taken.
    pub fn bind(what_if: WhatIf, address: SocketAddr, hosts: Hosts) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let page = Page::new(&what_if);
        let slots = Arc::new(Semaphore::new(SIMULATIONS_MAX));
        let app = App {
            what_if,
            page,
            hosts,
            port: address.port(),
            slots,
            waiting: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
            stop: Notify::new(),
        };
        Ok(Server { listener, address, app: Arc::new(app) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it from another thread.
    pub fn stopper(&self) -> Stopper {
        Stopper(Arc::clone(&self.app))
    }

    /// Answers until it is stopped.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub fn run(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let Server { listener, app, .. } = self;
        let ended = runtime.block_on(answer_all(listener, app));
        runtime.shutdown_timeout(FAREWELL);
        ended
    }
}

async fn answer_all(listener: TcpListener, app: Arc<App>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (graceful, connections) = (GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    let router = router(Arc::clone(&app));
    loop {
        let next = async {
            let permit = Arc::clone(&connections).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            next = next => next,
            () = app.stop.notified() => break,
        };
        let Ok((stream, _)) = accepted else {
            // A connection that broke, or too many open files: neither is helped by asking again at once.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // Who hangs up, or sends what is no HTTP, is not worth a word.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
    Ok(())
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/api/simulate", post(simulate))
        .route("/api/scenario", post(scenario))
        .method_not_allowed_fallback(async || {
            refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "this takes another method",
                "GET /, or POST to /api/simulate",
            )
        })
        .fallback(async || {
            refused(
                StatusCode::NOT_FOUND,
                "there is no such page",
                "GET /, or POST to /api/simulate or /api/scenario",
            )
        })
        .layer(from_fn_with_state(Arc::clone(&app), guarded))
        .with_state(app)
}

/// Lets in who may ask, and says of every answer what a browser may do with it.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = match app.complaint(request.headers()) {
        Some((message, help)) => refused(StatusCode::FORBIDDEN, message, help),
        None => next.run(request).await,
    };
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // The page brings its own.
    let nothing = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    response.headers_mut().entry(header::CONTENT_SECURITY_POLICY).or_insert(nothing);
    response
}

impl App {
    /// Why somebody may not ask, and what to do about it.
    fn complaint(&self, headers: &HeaderMap) -> Option<(&'static str, &'static str)> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let Some(host) = text(header::HOST) else {
            return Some(("the request does not say which host it is for", "send a `Host` header"));
        };
        if self.hosts == Hosts::Loopback && !is_loopback(host, self.port) {
            let help = "open it as http://127.0.0.1 with its port, or start it with `--allow-remote`";
            return Some(("this page is for this machine alone, and was asked for by another name", help));
        }
        let is_from_elsewhere = headers.contains_key(header::ORIGIN)
            && text(header::ORIGIN).and_then(|origin| origin.split_once("://")).map(|(_, from)| from)
                != Some(host);
        is_from_elsewhere.then_some(("another page may not ask this one", "open the page itself"))
    }
}

/// Whether a `Host` header names this machine and this port, as nothing but this machine resolves it.
fn is_loopback(host: &str, port: u16) -> bool {
    let (name, written) = match host.rsplit_once(':') {
        // Within brackets a colon is part of the address.
        Some((name, port)) if !port.ends_with(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    let name = name.to_ascii_lowercase();
    ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str()) && written == Some(port)
}

async fn page(State(app): State<Arc<App>>) -> Response {
    let (html, policy) = app.page.rendered();
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (headers, html).into_response()
}

async fn simulate(State(app): State<Arc<App>>, request: Request) -> Response {
    let answer = |app: &App, asked: &Asked, progress: &dyn Progress| {
        let answer = app.what_if.answer(asked, progress)?;
        let text = serde_json::to_string(&answer).map_err(|error| Refusal::Bug(error.to_string()))?;
        Ok(([(header::CONTENT_TYPE, "application/json")], text).into_response())
    };
    worked(app, request, answer).await
}

async fn scenario(State(app): State<Arc<App>>, request: Request) -> Response {
    let answer = |app: &App, asked: &Asked, _: &dyn Progress| {
        let text = app.what_if.toml(asked)?;
        Ok(([(header::CONTENT_TYPE, "application/toml")], text).into_response())
    };
    worked(app, request, answer).await
}

/// Reads a question, waits for its turn and has it answered on another thread.
async fn worked<F>(app: Arc<App>, request: Request, answer: F) -> Response
where
    F: Fn(&App, &Asked, &dyn Progress) -> Result<Response, Refusal> + Send + 'static,
{
    let asked = match read(request).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    // Set when this future is dropped, which is when the client has hung up.
    let hung_up = SetOnDrop(Arc::default());
    let turn = {
        let waiting = Waiting::new(&app);
        if waiting.before >= WAITING_MAX {
            let help = "wait for the answers to the last ones";
            return refused(StatusCode::SERVICE_UNAVAILABLE, "too many questions at once", help);
        }
        Arc::clone(&app.slots).acquire_owned().await
    };
    let watch = Watch { hung_up: Arc::clone(&hung_up.0), app: Arc::clone(&app) };
    let work = move || {
        let answered = answer(&app, &asked, &watch);
        drop(turn);
        answered
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(response)) => response,
        Ok(Err(refusal)) => told(refusal),
        Err(_) => told(Refusal::Bug("the simulation failed".to_owned())),
    }
}

/// The question in a request.
async fn read(request: Request) -> Result<Asked, Response> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if kind.is_none_or(|kind| !kind.eq_ignore_ascii_case("application/json")) {
        let help = "send `Content-Type: application/json`";
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a question is JSON", help));
    }
    let body = tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), BODY_BYTES_MAX));
    let bytes = match body.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let help =
                "send at most 64 KiB, such as {\"settings\": {\"gateway.health_check.interval\": \"5s\"}}";
            return Err(refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the question is too long, or broke off",
                help,
            ));
        }
        Err(_) => {
            return Err(refused(
                StatusCode::REQUEST_TIMEOUT,
                "the question took too long to come",
                "send it again",
            ));
        }
    };
    serde_json::from_slice(&bytes).map_err(|error| {
        let help = "write it like {\"settings\": {\"gateway.health_check.interval\": \"5s\"}}";
        refused(StatusCode::BAD_REQUEST, &format!("the question cannot be read: {error}"), help)
    })
}

fn told(refusal: Refusal) -> Response {
    let (status, text) = match refusal {
        Refusal::BadInput(problems) | Refusal::TooMuch(problems) => {
            (StatusCode::UNPROCESSABLE_ENTITY, problems.render(false))
        }
        // Nobody listens, unless the page is about to end.
        Refusal::Cancelled => (StatusCode::SERVICE_UNAVAILABLE, "error: the page has ended".to_owned()),
        Refusal::Bug(what) => (StatusCode::INTERNAL_SERVER_ERROR, format!("error: {what}")),
    };
    complained(status, &text)
}

/// The same sentences that the command line would print.
fn refused(status: StatusCode, message: &str, help: &str) -> Response {
    complained(status, &Problems::from(Problem::new(message).help(help)).render(false))
}

fn complained(status: StatusCode, text: &str) -> Response {
    let body = serde_json::json!({ "error": text }).to_string();
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

struct SetOnDrop(Arc<AtomicBool>);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Counts a question among those that wait for their turn.
struct Waiting<'a> {
    app: &'a App,
    before: usize,
}

impl<'a> Waiting<'a> {
    fn new(app: &'a App) -> Self {
        Waiting { app, before: app.waiting.fetch_add(1, Ordering::Relaxed) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.app.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Stops a simulation that nobody waits for.
struct Watch {
    hung_up: Arc<AtomicBool>,
    app: Arc<App>,
}

impl Progress for Watch {
    fn advance(&self, _runs: u64) {}

    fn is_cancelled(&self) -> bool {
        self.hung_up.load(Ordering::Relaxed) || self.app.is_stopping.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_can_point_here_are_this_machine() {
        for good in
            ["127.0.0.1:80", "localhost:80", "LOCALHOST:80", "[::1]:80", "localhost", "[::1]", "127.0.0.1"]
        {
            assert!(is_loopback(good, 80), "{good}");
        }
        for bad in [
            "evil.example:80",
            "localhost.evil.example:80",
            "127.0.0.1:81",
            "[::2]:80",
            "::1",
            "",
            ":80",
            "localhost:",
        ] {
            assert!(!is_loopback(bad, 80), "{bad}");
        }
        assert!(!is_loopback("localhost", 8247));
    }
}
