//! The page that is up: what it answers, whom, and what it refuses.

use super::{STORY, command, refused};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command};
use std::sync::mpsc::channel;
use std::time::Duration;

/// A page that is up until it is dropped.
struct Page {
    child: Child,
    address: SocketAddr,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Page {
    fn of(args: &[&str]) -> Page {
        let mut child = command(args).args(["--port", "0"]).spawn().expect("the command starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("it prints its address");
        let Some(address) = line.trim().strip_prefix("http://").and_then(|url| url.strip_suffix('/')) else {
            let mut said = String::new();
            child.stderr.take().expect("it is piped").read_to_string(&mut said).expect("UTF-8");
            panic!("no address in `{line}`: {said}");
        };
        let address = address.parse().expect("an address");
        Page { child, address }
    }

    fn story() -> Page {
        Page::of(&[STORY, "--runs", "40", "--seed", "3"])
    }

    /// Sends bytes and reads all that comes back.
    fn raw(&self, text: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        stream.write_all(text.as_bytes()).expect("it reads");
        let mut reply = vec![];
        // What was not read of a refused question may have the connection reset after the reply.
        let _ = stream.read_to_end(&mut reply);
        let reply = String::from_utf8(reply).expect("UTF-8");
        let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn send(&self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        let host = match headers.to_ascii_lowercase().contains("host:") {
            true => String::new(),
            false => format!("Host: {}\r\n", self.address),
        };
        let length = body.len();
        self.raw(&format!(
            "{method} {path} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    fn get(&self, path: &str, headers: &str) -> Reply {
        self.send("GET", path, headers, "")
    }

    fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, "Content-Type: application/json\r\n", &body.to_string())
    }

    #[track_caller]
    fn simulated(&self, body: &Value) -> Value {
        let reply = self.post("/api/simulate", body);
        assert_eq!(reply.status, 200, "{}", reply.body);
        serde_json::from_str(&reply.body).expect("JSON")
    }

    /// The sentence of a refusal.
    #[track_caller]
    fn complaint(reply: &Reply, status: u16) -> String {
        assert_eq!(reply.status, status, "{reply:?}");
        let body: Value = serde_json::from_str(&reply.body).expect("JSON");
        body["error"].as_str().expect("a sentence").to_owned()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `run --format json` says of scenarios.
fn run(args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_failover-sim"));
    let output = command.arg("run").args(args).args(["--format", "json"]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Settings of every sort: one that is moved, one that is switched on and then moved, one that a part brings.
fn settings() -> Value {
    json!({
        "gateway.health_check.interval": "5s",
        "gateway.health_check.timeout": "1s",
        "gateway.fallback": {},
        "gateway.detector": { "breaker": { "consecutive": 5, "eject_for": "30s" } },
        "gateway.detector.breaker.consecutive": 3,
        "fault.outage.at": "02:47:30",
        "traffic.arrivals.constant": "20/s",
    })
}

#[test]
fn an_answer_is_what_run_says_of_the_same_settings() {
    let page = Page::story();
    let answer = page.simulated(&json!({ "settings": settings(), "runs": 40 }));
    let mut args = vec![STORY.to_owned(), "--runs=40".to_owned(), "--seed=3".to_owned()];
    for (path, value) in settings().as_object().expect("an object") {
        let value = toml::Value::try_from(value).expect("a TOML value");
        args.push(format!("--set={path}={}", inline(&value)));
    }
    let expected = run(&args.iter().map(String::as_str).collect::<Vec<_>>());
    let (told, expected) = (&answer["document"]["scenarios"][1], &expected["scenarios"][0]);
    for part in ["metrics", "failed_by_cause", "failed_by_stage", "assumptions", "path", "verdict"] {
        assert_eq!(told[part], expected[part], "{part}");
    }
    let written = run(&[STORY, "--runs=40", "--seed=3"]);
    let as_written = &answer["document"]["scenarios"][0];
    assert_eq!(as_written["metrics"], written["scenarios"][0]["metrics"]);
    assert_eq!((&answer["runs"], &answer["runs_possible"]), (&json!(40), &json!(40)));
    // Run 0 is the one that is drawn.
    let closeup = &answer["closeup"];
    let sum = |name: &str| {
        closeup[name].as_array().expect("a series").iter().filter_map(Value::as_u64).sum::<u64>()
    };
    let mut first: Vec<&str> =
        args.iter().map(String::as_str).filter(|arg| !arg.starts_with("--runs")).collect();
    first.push("--run-index=0");
    let run_0 = run(&first);
    let metric =
        |name: &str| run_0["scenarios"][0]["metrics"][name]["mean"].as_f64().expect("a value") as u64;
    assert_eq!((sum("failed"), sum("succeeded")), (metric("failed_count"), metric("succeeded_count")));
    assert_eq!(closeup["faults"][0]["start_s"], json!(150));
}

/// What is wrong is told as the report tells it, and so is what is wrong with the gateway.
#[test]
fn faults_are_told_in_full() {
    let page = Page::story();
    let settings = json!({
        "fault.outage.fraction": 0.5,
        "fault.outage.recovery": { "ramp": "10s" },
        "gateway.replicas": 3,
        "gateway.fault": { "crash": { "effect": "crash", "at": "60s", "lasts": "30s", "replicas": 1 } },
    });
    let answer = page.simulated(&json!({ "settings": settings, "runs": 1 }));
    let faults = answer["closeup"]["faults"].as_array().expect("a list");
    let words = |nth: usize| faults[nth]["words"].as_str().expect("words");
    assert!(words(0).starts_with("50% of requests "), "{}", words(0));
    assert!(words(0).ends_with("; it goes away gradually over 10s"), "{}", words(0));
    assert_eq!(faults[0]["providers"], json!(["claude_east"]));
    assert!(words(1).starts_with("one gateway replica crash"), "{}", words(1));
    assert_eq!(faults[1]["providers"], json!([]));
}

/// A fleet that changes its mind all the time is answered in what a page can draw.
#[test]
fn an_answer_is_as_long_as_what_can_be_drawn() {
    let page = Page::story();
    let settings = json!({ "gateway.replicas": 1_000, "gateway.health_check.interval": "2s", "fault.outage.recovery": { "flaps": { "times": 15, "up": "6s", "down": "6s" } } });
    let reply = page.post("/api/simulate", &json!({ "settings": settings, "runs": 1 }));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.len() < 200_000, "{}", reply.body.len());
    let answer: Value = serde_json::from_str(&reply.body).expect("JSON");
    let closeup = &answer["closeup"];
    assert_eq!(closeup["ejections"].as_array().map(Vec::len), Some(400));
    assert!(closeup["ejections_left_out"].as_u64() > Some(1_000), "{}", closeup["ejections_left_out"]);
    assert_eq!(closeup["faults_left_out"], json!(0));
}

/// TOML on one line, as `--set` takes it.
fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::Table(table) => {
            let entries: Vec<String> =
                table.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

#[test]
fn what_is_copied_as_toml_runs_with_the_same_numbers() {
    let page = Page::story();
    let mut settings = settings();
    settings["gateway.retry"] = json!({ "attempts": 1, "on": ["any"] });
    // Switched off although a part brings it.
    settings["gateway.health_check"] = Value::Null;
    for path in ["gateway.health_check.interval", "gateway.health_check.timeout"] {
        settings.as_object_mut().expect("an object").remove(path);
    }
    let asked = json!({ "settings": settings, "runs": 30 });
    let answer = page.simulated(&asked);
    let reply = page.post("/api/scenario", &asked);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.head.contains("content-type: application/toml"), "{}", reply.head);
    let heading: Vec<&str> = reply.body.lines().take_while(|line| line.starts_with('#')).collect();
    assert!(heading[1].contains("run FILE --seed 3 --runs 30"), "{heading:?}");
    assert!(heading.contains(&"# without gateway.health_check"), "{heading:?}");
    // Nothing beside it: parts are in it.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("copied.toml");
    fs::write(&file, &reply.body).expect("a file");
    let found = run(&[file.to_str().expect("UTF-8"), "--seed", "3", "--runs", "30"]);
    let told = &answer["document"]["scenarios"][1];
    for part in ["metrics", "failed_by_cause", "failed_by_stage"] {
        assert_eq!(told[part], found["scenarios"][0][part], "{part}");
    }
    assert_eq!(found["scenarios"][0]["metrics"]["probe_count"]["max"], json!(0.0), "it was switched off");
}

#[test]
fn the_page_is_one_file_that_may_run_its_own_scripts_alone() {
    let page = Page::story();
    let (one, other) = (page.get("/", ""), page.get("/?from=somewhere", ""));
    assert_eq!((one.status, other.status), (200, 200));
    let policy = |reply: &Reply| {
        let line = reply.head.lines().find(|line| line.starts_with("content-security-policy:"));
        line.expect("a policy").to_owned()
    };
    assert!(policy(&one).contains("default-src 'none'") && !policy(&one).contains("'unsafe-eval'"));
    assert_ne!(policy(&one), policy(&other), "a nonce is for one page");
    for name in ["x-content-type-options: nosniff", "cache-control: no-store", "referrer-policy: no-referrer"]
    {
        assert!(one.head.contains(name), "{name}");
    }
    assert!(!one.head.contains("access-control-"), "no other page may read it");
    for outside in ["src=\"http", "href=\"http", "@import", "url(http"] {
        assert!(!one.body.contains(outside), "{outside}");
    }
    assert!(one.body.contains("\"path\":\"gateway.health_check.interval\""));
    let quick = page.simulated(&json!({}));
    assert_eq!(quick["runs_possible"], json!(40));
    assert_eq!(
        quick["document"]["scenarios"][1]["difference_to_baseline"]["failed_count"]["mean"],
        json!(0.0)
    );
}

#[test]
fn bad_questions_get_a_sentence() {
    let page = Page::story();
    let set = |path: &str, value: Value| page.post("/api/simulate", &json!({ "settings": { path: value } }));
    let unknown = Page::complaint(&set("gateway.health_check.intervall", json!("5s")), 422);
    assert!(unknown.contains("did you mean `interval`?"), "{unknown}");
    let unit = Page::complaint(&set("gateway.health_check.interval", json!(5)), 422);
    assert!(unit.contains("write \"5s\" for seconds"), "{unit}");
    let null = Page::complaint(&set("gateway.retry", json!({ "attempts": null })), 422);
    assert!(null.contains("which TOML has no value for"), "{null}");
    let lacks = Page::complaint(&set("traffic", Value::Null), 422);
    assert!(lacks.contains("traffic"), "{lacks}");
    let combination = Page::complaint(&set("fault.outage.at", json!("1h")), 422);
    assert!(combination.contains("the run ends"), "{combination}");
    let toml = Page::complaint(&page.post("/api/scenario", &json!({ "settings": { "nothing": 1 } })), 422);
    assert!(toml.contains("a scenario has no setting `nothing`"), "{toml}");
    let large = Page::complaint(&set("traffic.arrivals.constant", json!("1000000000/s")), 422);
    assert!(large.contains("more than a page can wait for"), "{large}");

    let json = "Content-Type: application/json\r\n";
    let sent = |headers: &str, body: &str| page.send("POST", "/api/simulate", headers, body);
    for bad in
        ["", "{", "[]", "{\"settings\": 1}", "{\"setting\": {}}", "{\"runs\": -1}", "{\"runs\": \"many\"}"]
    {
        let said = Page::complaint(&sent(json, bad), 400);
        assert!(said.contains("the question cannot be read"), "{bad}: {said}");
    }
    Page::complaint(&sent("Content-Type: text/plain\r\n", "{}"), 415);
    Page::complaint(&sent("", "{}"), 415);
    let long = format!("{{\"settings\": {{\"a\": \"{}\"}}}}", "x".repeat(70_000));
    Page::complaint(&sent(json, &long), 413);
    // Of a length that is not said beforehand, too.
    let chunk = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let host = page.address;
    let chunked = page.raw(&format!(
        "POST /api/simulate HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{json}Transfer-Encoding: chunked\r\n\r\n{chunk}"
    ));
    Page::complaint(&chunked, 413);

    Page::complaint(&page.get("/nothing", ""), 404);
    Page::complaint(&page.get("/../Cargo.toml", ""), 404);
    Page::complaint(&page.get("/api/simulate", ""), 405);
    Page::complaint(&page.send("DELETE", "/", "", ""), 405);
    assert_eq!(page.raw("nonsense\r\n\r\n").status, 400);
    assert_eq!(page.simulated(&json!({ "runs": 1 }))["runs"], json!(1), "it still answers");
}

/// Who can ask could else have the program read any file for them, or say whether it is there.
#[test]
fn settings_name_no_files() {
    let page = Page::story();
    let secret = tempfile::tempdir().expect("a folder");
    let path = secret.path().join("there.toml");
    fs::write(&path, "password = \"hunter2\"").expect("a file");
    let missing = secret.path().join("other.toml");
    let says = |path: &std::path::Path| {
        let asked = json!({ "settings": { "gateway.from": path.to_str() } });
        Page::complaint(&page.post("/api/simulate", &asked), 422)
            .replace(path.to_str().expect("UTF-8"), "FILE")
    };
    assert_eq!(says(&path), says(&missing));
    assert!(says(&path).contains("cannot be read any more") && !says(&path).contains("hunter2"));
    let trace = json!({ "traffic.arrivals": { "trace": { "file": path.to_str() } } });
    let said = Page::complaint(&page.post("/api/simulate", &json!({ "settings": trace })), 422);
    assert!(said.contains("cannot be read any more"), "{said}");
    // What comes with the program is no secret.
    page.simulated(&json!({ "settings": { "gateway.from": "models/gateways/story-portkey.toml" } }));
}

#[test]
fn only_this_machine_may_ask() {
    for host in ["0.0.0.0", "192.0.2.1", "::"] {
        let said = refused(&[STORY, "--port", "0", "--host", host]);
        assert!(said.contains("--allow-remote"), "{said}");
    }
    let page = Page::story();
    let port = page.address.port();
    for good in ["localhost", "127.0.0.1", "[::1]"] {
        assert_eq!(page.get("/", &format!("Host: {good}:{port}\r\n")).status, 200, "{good}");
    }
    for bad in [format!("evil.example:{port}"), "127.0.0.1".to_owned(), format!("127.0.0.1:{}", port ^ 1)] {
        let said = Page::complaint(&page.get("/", &format!("Host: {bad}\r\n")), 403);
        assert!(said.contains("this page is for this machine alone"), "{said}");
    }
    let json = "Content-Type: application/json\r\n";
    for (origin, status) in [
        (format!("http://{}", page.address), 200),
        ("http://evil.example".to_owned(), 403),
        ("null".to_owned(), 403),
    ] {
        let headers = format!("{json}Origin: {origin}\r\n");
        assert_eq!(page.send("POST", "/api/simulate", &headers, "{\"runs\": 1}").status, status, "{origin}");
    }

    // Who lets others in is asked by names that only they know.
    let mut open = Page::of(&[STORY, "--runs", "2", "--host", "0.0.0.0", "--allow-remote"]);
    open.address = SocketAddr::from(([127, 0, 0, 1], open.address.port()));
    assert_eq!(open.get("/", "Host: sim.example\r\n").status, 200);
}

#[test]
fn what_keeps_it_from_starting_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let said = refused(&[STORY, "--runs", "2", "--port", &port]);
    assert!(
        said.contains(&format!("port {port} of 127.0.0.1 is in use")) && said.contains("--port 0"),
        "{said}"
    );
    let said = refused(&["experiments/01_incident_3am"]);
    assert!(said.contains("name one of its scenario files"), "{said}");
    let said = refused(&["nothing.toml"]);
    assert!(said.contains("does not exist"), "{said}");
    let said = refused(&[STORY, "--set", "traffic.arrivals={ poisson = \"1000000000/s\" }"]);
    assert!(said.contains("more than a page can wait for"), "{said}");
    for (option, value) in [("--port", "70000"), ("--host", "example.org"), ("--runs", "0")] {
        let said = refused(&[STORY, option, value]);
        assert!(said.contains(value), "{said}");
    }
}

#[test]
fn many_may_ask_at_a_time() {
    let page = Page::story();
    let asked = |nth: u64| json!({ "settings": { "gateway.health_check.interval": format!("{}s", 5 + nth % 3) }, "runs": 20 });
    let expected: Vec<String> = (0..3).map(|nth| page.post("/api/simulate", &asked(nth)).body).collect();
    std::thread::scope(|scope| {
        for nth in 0..24 {
            let (page, expected) = (&page, &expected);
            scope.spawn(move || {
                let reply = page.post("/api/simulate", &asked(nth));
                assert_eq!((reply.status, &reply.body), (200, &expected[nth as usize % 3]));
            });
        }
    });
}

/// More than wait for their turn are sent away, and those that hang up are forgotten.
#[test]
fn too_many_questions_are_sent_away() {
    let page = Page::of(&[STORY, "--runs", "100"]);
    let slow = json!({ "settings": { "gateway.retry": { "attempts": 3, "on": ["any"] }, "traffic.arrivals.constant": "600/s" }, "runs": 100 });
    let body = slow.to_string();
    let request = format!(
        "POST /api/simulate HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        page.address,
        body.len()
    );
    let asking: Vec<TcpStream> = (0..60)
        .map(|_| {
            let mut stream = TcpStream::connect(page.address).expect("it listens");
            stream.write_all(request.as_bytes()).expect("it reads");
            stream
        })
        .collect();
    let (told, replies) = channel();
    for stream in &asking {
        let (mut stream, told) = (stream.try_clone().expect("it is open"), told.clone());
        std::thread::spawn(move || {
            let mut reply = [0; 4096];
            let length = stream.read(&mut reply).unwrap_or(0);
            let _ = told.send(String::from_utf8_lossy(&reply[..length]).into_owned());
        });
    }
    drop(told);
    let next = || replies.recv_timeout(Duration::from_secs(120)).expect("one of them is sent away");
    let said = std::iter::repeat_with(next).find(|reply| reply.starts_with("HTTP/1.1 503 "));
    assert!(said.is_some_and(|said| said.contains("too many questions at once")));
    for stream in asking {
        stream.shutdown(Shutdown::Both).expect("it is open");
    }
    // It is answered at once, not after two minutes of what nobody waits for.
    let answered = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        page.post("/api/simulate", &json!({ "runs": 1 })).status == 200
    });
    assert!(answered);
}

#[test]
fn ctrl_c_ends_it_as_a_matter_of_course() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let mut page = Page::story();
    // A connection that is open, as a browser's would be.
    let _open = TcpStream::connect(page.address).expect("it listens");
    kill(Pid::from_raw(page.child.id() as i32), Signal::SIGINT).expect("it can be interrupted");
    assert_eq!(page.child.wait().expect("it ends").code(), Some(0));
    assert!(TcpStream::connect(page.address).is_err());
}

/// What is in a name is text, in the page's data, in messages and in comments.
#[test]
fn names_cannot_say_anything_but_their_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let text = r#"
        about = "</script><script>alert(1)</script> @@charts@@"
        duration = "60s"
        traffic.arrivals = { constant = "10/s" }
        provider.only = { latency = { constant = "1s" }, labels = { vendor = "<a>" } }
        [fault.night]
        on = { vendor = "<a>" }
        at = "10s"
        lasts = "10s"
    "#;
    fs::write(&path, text).expect("a file");
    let page = Page::of(&[path.to_str().expect("UTF-8"), "--runs", "2"]);
    let html = page.get("/", "").body;
    let data =
        html.split("id=\"start\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("data");
    let data: Value = serde_json::from_str(data).expect("all of it is in the element");
    assert_eq!(data["about"], json!("</script><script>alert(1)</script> @@charts@@"));
    // A line break in a value stays within its comment.
    let asked = json!({ "settings": { "provider.only.labels.vendor": "a\nduration = \"1s\"", "fault.night.on": { "name": "only" } } });
    let reply = page.post("/api/scenario", &asked);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let copied: toml::Table = toml::from_str(&reply.body).expect("TOML");
    assert_eq!(copied["duration"].as_str(), Some("60s"));
    assert_eq!(copied["provider"]["only"]["labels"]["vendor"].as_str(), Some("a\nduration = \"1s\""));
}
