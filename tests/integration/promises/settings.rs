//! What a person may set for a longer night: how often, and with which rng.

/// A number from the environment, or the default.
pub fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => default,
    }
}

/// The seed of everything random here: STEWARD_TEST_SEED, else one of this moment's. Print it, so that a red night can be had again.
pub fn seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock after 1970");
    number("STEWARD_TEST_SEED", u64::from(now.subsec_nanos()) ^ now.as_secs())
}

/// A random number of moderate quality that the same seed gives again (splitmix64).
#[derive(Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// The next one below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}
