//! Under which names the pages may be asked for.
//!
//! A web page anywhere can point a name of its own at this machine and read what answers there. So a name is answered only where it is
//! ours; an address always, since nobody can point one elsewhere.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::sync::Arc;

/// The names that are ours, in small letters.
#[derive(Debug, Clone)]
pub(super) struct Hosts(Arc<[String]>);

impl Hosts {
    /// This machine's own name, `localhost`, and those that were declared.
    pub(super) fn new(declared: &[String]) -> Self {
        let own = hostname::get().ok().map(|name| name.to_string_lossy().to_ascii_lowercase());
        Self(declared.iter().cloned().chain(own).chain(["localhost".to_owned()]).collect())
    }

    /// Whether the text of a `Host` header names us.
    fn answers_to(&self, host: &str) -> bool {
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        bare.parse::<IpAddr>().is_ok() || self.0.iter().any(|name| name == &bare.to_ascii_lowercase())
    }
}

/// Turns away whoever asks for another name. Without one (HTTP/1.0) it is no browser.
pub(super) async fn guard(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    match request.headers().get(HOST) {
        Some(host) if !host.to_str().is_ok_and(|host| hosts.answers_to(host)) => {
            let text =
                "these pages are not served under that name: ask for the address, or name it under `hosts` in steward.yaml\n";
            (StatusCode::MISDIRECTED_REQUEST, text).into_response()
        }
        _ => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_answered_always_and_a_name_where_it_is_ours() {
        let hosts = Hosts::new(&["steward.example.com".to_owned()]);
        for ours in
            ["127.0.0.1:9464", "10.42.0.7", "[::1]:9464", "[fe80::1]", "localhost", "LocalHost:9464", "Steward.example.com:80"]
        {
            assert!(hosts.answers_to(ours), "{ours}");
        }
        for other in [
            "rebound.attacker.example",
            "127.0.0.1.attacker.example",
            "steward.example.com.attacker.example",
            "localhost.attacker.example",
            "",
            "[evil]",
        ] {
            assert!(!hosts.answers_to(other), "{other}");
        }
    }
}
