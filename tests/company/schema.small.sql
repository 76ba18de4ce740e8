CREATE TABLE grading_results (id INTEGER PRIMARY KEY, class TEXT NOT NULL, score INTEGER, created_at TEXT NOT NULL);
CREATE INDEX idx_created_at ON grading_results (created_at);
CREATE TABLE class_averages (class TEXT PRIMARY KEY, average REAL);
