//! What the company is: its people and its faults, drawn from a seed. The findings must equal what is planned here.

/// A seeded draw: the same seed, the same company.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from `from` to `to`, both included.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from + self.0 % (to - from + 1)
    }
}

/// How many of everything. Every number is a fault of its own: no row, key or node has two of them, unless it says so.
#[derive(Debug, Clone)]
pub struct Plan {
    /// People in MySQL, numbered from 1.
    pub users: u64,
    /// The last so many are switched off: their sessions end.
    pub disabled: u64,
    /// Pairs whose emails differ in letter case alone.
    pub same_but_case: u64,
    /// Pairs whose domains are one, once in Unicode and once as `xn--`.
    pub same_but_form: u64,
    /// Pairs that differ by a plus tag: two addresses, no fault.
    pub plus_tags: u64,
    /// People without an email.
    pub no_email: u64,
    /// People without a node.
    pub no_node: u64,
    /// Nodes without a person.
    pub no_person: u64,
    /// People's nodes without any relation.
    pub lonely_people: u64,
    /// Skills that nobody has.
    pub lonely_skills: u64,
    /// Relations that are there twice.
    pub doubled: u64,
    /// Nodes whose `silicon_level` is outside 0 to 5.
    pub out_of_range: u64,
    /// Old events in the graph, and young ones.
    pub old_events: u64,
    pub young_events: u64,
    /// Vectors in PostgreSQL whose person is gone.
    pub lost_vectors: u64,
    /// Expired rows of sessions; of them held, since they are of the first three people.
    pub expired_sessions: u64,
    pub held_sessions: u64,
    pub live_sessions: u64,
    /// Roles that have expired and still are active; that have and are not; that have not.
    pub expired_roles: u64,
    pub ended_roles: u64,
    pub live_roles: u64,
    /// Roles of people who never were.
    pub lost_roles: u64,
    /// Rows of `ai_cache`.
    pub stale_ai: u64,
    pub fresh_ai: u64,
    /// Cached people: with a TTL, without, with too long a one, of people who are gone.
    pub cached: u64,
    pub cached_without_ttl: u64,
    pub cached_too_long: u64,
    pub cached_of_nobody: u64,
    /// Cached resumes without a TTL (removed), and with.
    pub resumes_without_ttl: u64,
    pub resumes: u64,
    /// Figures without a TTL (reported).
    pub analytics_without_ttl: u64,
    /// Session keys of people who are there, and of those who are switched off.
    pub session_keys: u64,
    pub session_keys_of_disabled: u64,
    /// Tokens: good ones, those without a TTL, those of people who are gone, those of people whose session is.
    pub tokens: u64,
    pub tokens_without_ttl: u64,
    pub tokens_of_nobody: u64,
    pub tokens_without_session: u64,
    /// Keys that no policy covers; they have a TTL.
    pub strays: u64,
    /// Consumption records older than six months, and younger.
    pub old_records: u64,
    pub young_records: u64,
    /// Grades older than three months, younger ones, and young ones outside 0 to 100.
    pub old_grades: u64,
    pub young_grades: u64,
    pub wrong_grades: u64,
}

impl Plan {
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut some = |from, to| dice.between(from, to);
        Self {
            users: some(300, 500),
            disabled: some(3, 20),
            same_but_case: some(1, 12),
            same_but_form: some(1, 8),
            plus_tags: some(1, 9),
            no_email: some(1, 15),
            no_node: some(1, 9),
            no_person: some(1, 9),
            lonely_people: some(1, 11),
            lonely_skills: some(1, 6),
            doubled: some(1, 7),
            out_of_range: some(1, 7),
            old_events: some(20, 60),
            young_events: some(5, 30),
            lost_vectors: some(1, 13),
            expired_sessions: some(40, 90),
            held_sessions: some(1, 6),
            live_sessions: some(50, 80),
            expired_roles: some(5, 25),
            ended_roles: some(1, 9),
            live_roles: some(30, 60),
            lost_roles: some(1, 6),
            stale_ai: some(10, 40),
            fresh_ai: some(20, 40),
            cached: some(30, 60),
            cached_without_ttl: some(1, 15),
            cached_too_long: some(1, 8),
            cached_of_nobody: some(1, 8),
            resumes_without_ttl: some(1, 9),
            resumes: some(10, 20),
            analytics_without_ttl: some(1, 6),
            session_keys: some(20, 40),
            session_keys_of_disabled: some(1, 3),
            tokens: some(20, 40),
            tokens_without_ttl: some(1, 7),
            tokens_of_nobody: some(1, 7),
            tokens_without_session: some(1, 9),
            strays: some(3, 9),
            old_records: some(100, 300),
            young_records: some(50, 90),
            old_grades: some(40, 80),
            young_grades: some(30, 60),
            wrong_grades: some(1, 6),
        }
    }

    /// What each check must find, before anything was done about it: its value.
    pub fn findings(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("duplicate-emails", self.same_but_case + self.same_but_form),
            ("missing-emails", self.no_email),
            (
                "ttl-less-keys",
                self.cached_without_ttl + self.resumes_without_ttl + self.analytics_without_ttl + self.tokens_without_ttl,
            ),
            ("users-in-graph", self.no_node + self.no_person),
            ("cached-users", self.cached_of_nobody),
            ("roles-of-nobody", self.lost_roles),
            ("many-users", self.users),
            ("embeddings-of-nobody", self.lost_vectors),
            ("overdue", self.old_records),
            ("orphan-nodes", self.lonely_people + self.lonely_skills),
            ("double-relations", self.doubled),
            ("silicon-levels", self.out_of_range),
            ("scores", self.wrong_grades),
        ]
    }

    /// What each policy's run must have done: policy, count, how many.
    pub fn done(&self) -> Vec<(&'static str, &'static str, u64)> {
        vec![
            ("consumption-records", "archived", self.old_records),
            ("grading-results", "removed", self.old_grades),
            ("old-nodes", "removed", self.old_events),
            ("web-sessions", "expired", self.expired_sessions),
            ("roles", "expired", self.expired_roles),
            ("session-keys", "expired", self.session_keys_of_disabled),
            ("session-keys", "ttl_set", 0),
            ("token-keys", "expired", self.tokens_of_nobody + self.tokens_without_session),
            ("token-keys", "ttl_set", self.tokens_without_ttl),
            ("user-cache", "swept", self.cached_of_nobody),
            ("user-cache", "ttl_set", self.cached_without_ttl + self.cached_too_long),
            ("resume-cache", "swept", self.resumes_without_ttl),
            ("analytics-cache", "swept", 0),
            ("ai-cache", "swept", self.stale_ai),
            ("workspace-analytics", "refreshed", 1),
            ("workspace-totals", "refreshed", 1),
            ("class-averages", "refreshed", 1),
        ]
    }

    /// What the checks must find once the night is over.
    pub fn findings_afterwards(&self) -> Vec<(&'static str, u64)> {
        let gone = ["cached-users", "overdue"];
        let mut findings = self.findings();
        for (check, value) in &mut findings {
            if gone.contains(check) {
                *value = 0;
            }
            if *check == "ttl-less-keys" {
                *value = self.analytics_without_ttl;
            }
        }
        findings
    }
}
