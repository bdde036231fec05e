//! Lowers round trips between regions to those between clients, the gateway and each provider.
//!
//! A part of [`super::lower`].

use super::file_network::Network;
use super::lower::Lowering;
use super::problem::{Problem, nearest};
use crate::model;
use crate::time::SimDuration;
use std::collections::BTreeSet;

/// An end of a round trip: what is there ("clients are"), its region, and where that is written.
#[derive(Debug, Clone)]
struct Spot<'a> {
    what: String,
    region: &'a str,
    path: String,
}

impl<'a> Lowering<'a> {
    pub(super) fn network(&mut self) -> Option<model::Network> {
        let file = self.file;
        let Some(network) = &file.network else {
            self.regions_without_network();
            return None;
        };
        if !["network", "traffic", "gateway"].iter().all(|path| self.findings.sound(path))
            || !self.findings.labels_known()
        {
            return None;
        }
        let before = self.problems.len();
        self.pairs_written_twice(network);
        let spot = |what: &str, region: &'a Option<String>, path: &str| {
            let spot =
                |region: &'a String| Spot { what: what.to_owned(), region, path: format!("{path}.region") };
            region.as_ref().map(spot)
        };
        let gateway = spot("the gateway is", &file.gateway.region, "gateway");
        let everybody = spot("clients are", &file.traffic.region, "traffic");
        let mut clients: Vec<(String, Option<Spot>)> = vec![];
        for (name, class) in &file.traffic.class {
            let path = format!("traffic.class.{name}");
            let own = spot(&format!("clients of `{path}` are"), &class.region, &path);
            clients.push((path, own.or(everybody.clone())));
        }
        if file.traffic.class.is_empty() {
            clients.push(("traffic".to_owned(), everybody.clone()));
        }
        let probes = file.gateway.health_check.is_some();
        let all_have_own = file.traffic.class.values().all(|class| class.region.is_some());
        if !file.traffic.class.is_empty() && all_have_own && (gateway.is_some() || !probes) {
            self.without_effect("traffic", &["region"], "each class has a region of its own");
        }
        let providers = self.regions_of_providers();
        let mut missing = BTreeSet::new();
        let mut requests = vec![];
        for (path, client) in clients {
            let Some(from) = gateway.as_ref().or(client.as_ref()) else {
                let message =
                    format!("the network does not know where the gateway or clients of `{path}` are");
                self.problem(
                    &path,
                    message,
                    "add a region to [gateway] or to [traffic], for example: region = \"us-east-1\"",
                );
                break;
            };
            // One of whom nothing is said is beside the other.
            let to_gateway = match (&client, &gateway) {
                (Some(client), Some(gateway)) => self.round_trip(network, client, gateway, &mut missing),
                _ => SimDuration::ZERO,
            };
            requests.push(model::RoundTrips {
                to_gateway,
                to_providers: self.round_trips(network, from, &providers, &mut missing),
            });
        }
        let probes = match gateway.or(everybody) {
            _ if !probes => vec![],
            Some(from) => self.round_trips(network, &from, &providers, &mut missing),
            None if requests.is_empty() => vec![],
            None => {
                let message = "probes are sent by the gateway, and the network does not know where it is";
                let help = "add a region to [gateway]; if it is beside its clients, add to [traffic] the region that probes are sent from";
                self.problem("gateway.health_check", message.to_owned(), help);
                vec![]
            }
        };
        (self.problems.len() == before).then_some(model::Network { requests, probes })
    }

    /// Where there is no network, nothing depends on regions but faults.
    fn regions_without_network(&mut self) {
        let why = "there is no [network] with round trips between regions";
        let classes = self.file.traffic.class.keys().map(|name| format!("traffic.class.{name}"));
        for path in classes.chain(["traffic".to_owned(), "gateway".to_owned()]) {
            self.without_effect(&path, &["region"], why);
        }
    }

    /// A round trip is the same in both directions.
    fn pairs_written_twice(&mut self, network: &Network) {
        for (from, row) in &network.rtt {
            for (to, rtt) in row {
                let other = network.rtt.get(to).and_then(|row| row.get(from));
                if let Some(other) = other.filter(|other| from < to && other.value != rtt.value) {
                    let mut written = [
                        (format!("network.rtt.{from}.{to}"), rtt.value),
                        (format!("network.rtt.{to}.{from}"), other.value),
                    ];
                    // What a part says is overridden by the same words.
                    if self.place(&written[1].0).source != self.root.place.source {
                        written.reverse();
                    }
                    let [(kept, rtt), (twice, other)] = written;
                    let message = format!("`{twice}` is {other}, and `{kept}` is {rtt}");
                    let (at, also) = (self.place(&twice), self.place(&kept));
                    let help = format!("a round trip is the same in both directions: write `{kept}` only");
                    let problem = Problem::new(message).at(&at).also(&also, "the same two regions");
                    self.problems.push(problem.help(help));
                }
            }
        }
    }

    fn regions_of_providers(&mut self) -> Vec<Spot<'a>> {
        let mut spots = vec![];
        for (name, provider) in &self.file.provider {
            match provider.labels.get("region") {
                Some(region) => spots.push(Spot {
                    what: format!("`provider.{name}` is"),
                    region,
                    path: format!("provider.{name}.labels.region"),
                }),
                None => {
                    let path = format!("provider.{name}");
                    let message = format!("the network does not know where `{path}` is");
                    self.problem(&path, message, "add, for example: labels = { region = \"us-east-1\" }");
                }
            }
        }
        spots
    }

    fn round_trips(
        &mut self,
        network: &Network,
        from: &Spot,
        providers: &[Spot<'a>],
        missing: &mut BTreeSet<String>,
    ) -> Vec<SimDuration> {
        providers.iter().map(|provider| self.round_trip(network, provider, from, missing)).collect()
    }

    /// The round trip between two spots; one that is not known is said to be missing once.
    fn round_trip(
        &mut self,
        network: &Network,
        spot: &Spot,
        from: &Spot,
        missing: &mut BTreeSet<String>,
    ) -> SimDuration {
        let (near, far) = (from.region, spot.region);
        let of = |a: &str, b: &str| network.rtt.get(a).and_then(|row| row.get(b)).map(|rtt| rtt.value);
        if let Some(rtt) = of(near, far).or(of(far, near)) {
            return rtt;
        }
        let pair = format!("{}.{}", near.min(far), near.max(far));
        if near != far && missing.insert(pair) {
            let known: BTreeSet<&str> =
                network.rtt.iter().flat_map(|(a, row)| row.keys().chain([a])).map(String::as_str).collect();
            let unknown = [spot, from].into_iter().find(|spot| !known.contains(spot.region));
            let near_name = unknown.and_then(|spot| nearest(spot.region, known.iter().copied()));
            let add = format!("add, for example:\n[network.rtt.{near}]\n{far} = \"76ms\"");
            let help =
                near_name.map_or(add.clone(), |name| format!("did you mean \"{name}\"? If not, {add}"));
            let (there, here) = (&spot.what, &from.what);
            let message =
                format!("no round trip is known between {far}, where {there}, and {near}, where {here}");
            self.problem(&unknown.unwrap_or(spot).path.clone(), message, help);
        }
        SimDuration::ZERO
    }
}
