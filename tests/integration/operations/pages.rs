//! The pages of `serve`: for people on any screen, and for nobody else's web page.

use super::serving::Worker;
use crate::support::engine::Engine;
use crate::support::sandbox::Sandbox;
use std::io::{Read, Write};
use std::net::TcpStream;

fn asked(port: u16, host: &str, kind: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nAccept: {kind}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn the_pages_answer_to_addresses_and_to_names_that_are_ours_and_to_no_other_name() {
    let sandbox = Sandbox::new(Engine::Sqlite);
    sandbox.config("hosts: [\"steward.example.com\"]\n");
    sandbox.sql("create table marks (id integer primary key, created_at text);");
    sandbox
        .policy("marks", "lifecycle:\n  - { name: marks, dataset: core.marks, clock: created_at, delete: { after: 1 year } }\n");
    sandbox.job("delete-marks", "action: delete\npolicies: [marks]\nschedule: \"0 0 1 1 *\"\n");
    let mut worker = Worker::start(&sandbox);
    // A pod's address, as probes ask; a name behind a proxy; this machine.
    for ours in ["10.42.0.7:9464", "[::1]:9464", "steward.example.com", "localhost:9464"] {
        let answer = asked(worker.port, ours, "*/*");
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("delete-marks"), "{ours}: {answer}");
    }
    let answer = asked(worker.port, "rebound.attacker.example:9464", "*/*");
    assert!(answer.starts_with("HTTP/1.1 421") && !answer.contains("delete-marks") && answer.contains("`hosts`"), "{answer}");

    // Each cell says by itself what it is, so that a narrow screen can show them below each other.
    let page = asked(worker.port, "localhost", "text/html");
    for part in ["data-of=\"next\"", "data-of=\"last run\"", "@media(max-width:46rem)", "<strong>ready</strong>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(worker.stop(), Some(0));
}
