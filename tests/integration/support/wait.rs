//! Waits: for a future from anywhere, a test's own runtime included, and for something to be so.

use std::future::Future;
use std::time::{Duration, Instant};

/// What the future gives.
pub fn wait<T: Send>(future: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let waiting = scope
            .spawn(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future));
        waiting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Does each of them, all at the same time; what one of them panics with is the test's.
pub fn at_once<T: Send>(all: impl IntoIterator<Item = T>, each: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let each = &each;
        let begun: Vec<_> = all.into_iter().map(|one| scope.spawn(move || each(one))).collect();
        for one in begun {
            one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Looks again and again until it is so; at most a minute.
#[track_caller]
pub fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited a minute in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
