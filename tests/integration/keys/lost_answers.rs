//! Changes whose answer was lost: each key is told once, as what became of it.

use super::reach::Own;
use super::setup::sandbox;
use crate::support::keyspace::KeyServer;
use crate::support::sandbox::Sandbox;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A line to a server that loses the first answer to a change, once, and ends the connection.
fn losing(port: u16, to: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let (lost, loses) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let (mut back, mut away) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let (lost, loses) = (lost.clone(), loses.clone());
            let (lost_2, loses_2) = (lost.clone(), loses.clone());
            std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(read @ 1..) = client.read(&mut buffer) {
                    let is_change = buffer[..read].windows(to.len()).any(|bytes| bytes == to.as_bytes());
                    if is_change && !lost.load(Ordering::SeqCst) {
                        loses.store(true, Ordering::SeqCst);
                    }
                    if server.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                let _ = server.shutdown(Shutdown::Write);
            });
            std::thread::spawn(move || {
                let mut buffer = vec![0; 1 << 16];
                while let Ok(read @ 1..) = back.read(&mut buffer) {
                    if loses_2.swap(false, Ordering::SeqCst) {
                        lost_2.store(true, Ordering::SeqCst);
                        break;
                    }
                    if away.write_all(&buffer[..read]).is_err() {
                        break;
                    }
                }
                // Whatever the server still answers goes nowhere.
                let _ = away.shutdown(Shutdown::Both);
                while let Ok(1..) = back.read(&mut buffer) {}
            });
        }
    });
    own
}

fn seeded(own: &Own, policy: &str, keys: u32) -> Sandbox {
    let sandbox = sandbox(KeyServer::Redis, policy);
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", own.port)).unwrap();
    let mut link = client.get_connection().unwrap();
    for from in (0..keys).step_by(1_000) {
        let mut pipe = redis::pipe();
        for number in from..(from + 1_000).min(keys) {
            pipe.set(format!("c:{number}"), "x").ignore();
        }
        pipe.query::<()>(&mut link).unwrap();
    }
    sandbox
}

const REMOVE: &str = "cache: [{ store: cache, keys: \"c:*\", without_ttl: remove, guard: { max_percent: 100 } }]\n";

#[test]
fn keys_that_went_while_the_answer_was_lost_are_counted_and_that_is_said() {
    for (policy, word, counted) in [
        (REMOVE, "unlink", "swept"),
        (
            "cache: [{ store: cache, keys: \"c:*\", ttl: 1 h, without_ttl: expire, guard: { max_percent: 100 } }]\n",
            "expire\r\n",
            "ttl_set",
        ),
    ] {
        let own = Own::start(&[]);
        let sandbox = seeded(&own, policy, 3_000);
        super::reach::url(&sandbox, &format!("redis://127.0.0.1:{}", losing(own.port, word)));
        let told = super::setup::run(&sandbox, "sweep", 0);
        assert_eq!((told[counted].as_u64(), told["left"]["changed"].as_u64()), (Some(3_000), Some(0)), "{told}");
        assert!(told["reasons"].to_string().contains("was lost; asked for again"), "{told}");
    }
}

#[test]
fn a_server_that_freezes_in_the_middle_of_a_sweep_loses_no_count() {
    let own = Own::start(&[]);
    let sandbox = seeded(&own, REMOVE, 20_000);
    // A call that is not answered in two seconds is given up.
    own.takes_over(&sandbox);
    let running = sandbox.command(["run-job", "sweep", "--yes", "--json"]).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    while own.ask::<u64>(&["DBSIZE"]) > 18_000 {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not begin");
    }
    own.signal("-STOP");
    std::thread::sleep(Duration::from_secs(5));
    own.signal("-CONT");
    let ended = running.wait_with_output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    let told = &told["datasets"][0];
    let left = own.ask::<u64>(&["DBSIZE"]);
    assert_eq!(told["swept"].as_u64(), Some(20_000 - left), "{told}");
    assert_eq!(left, 0, "{told}");
}
