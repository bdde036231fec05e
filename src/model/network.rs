//! How long the network takes between clients, the gateway and providers.

use crate::time::SimDuration;

/// Round trips between regions, as requests and probes meet them. They are constant.
///
/// A call takes a round trip more than what answers it: connections are kept, so nothing is added for a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// By class of request, in the order of [`super::Traffic::classes`]; one where there are no classes.
    pub requests: Vec<RoundTrips>,
    /// By provider: of a probe, from the gateway; empty where nothing probes.
    pub probes: Vec<SimDuration>,
}

/// The round trips of requests from one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrips {
    /// Between a client and the gateway; half of it each way.
    pub to_gateway: SimDuration,
    /// By provider: between the gateway and it.
    pub to_providers: Vec<SimDuration>,
}
