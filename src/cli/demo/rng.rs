//! Random numbers that are the same on every machine: whoever reports a surprise in the demo has the same company as we do.

/// Numbers that look random and are not (xorshift64*).
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    /// Begins anew; another seed is another company.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `bound`.
    pub(super) const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// One of several.
    pub(super) const fn of<'a, T: ?Sized>(&mut self, several: &[&'a T]) -> &'a T {
        several[self.below(several.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_over_the_whole_range() {
        let draw = || {
            let mut rng = Rng::new(7);
            (0..1_000).map(|_| rng.below(10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(), draw());
        assert!((0..10).all(|number| draw().contains(&number)));
    }
}
