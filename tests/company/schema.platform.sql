CREATE SCHEMA financial_management;
CREATE SCHEMA archive;
CREATE TABLE financial_management.consumption_record (
  id bigint PRIMARY KEY, workspace_id bigint NOT NULL, amount numeric(12, 2) NOT NULL, created_at timestamptz NOT NULL);
CREATE INDEX ON financial_management.consumption_record (created_at);
CREATE TABLE archive.consumption_record_archive (LIKE financial_management.consumption_record INCLUDING ALL);
CREATE TABLE user_embeddings (user_id bigint PRIMARY KEY, embedding_vector jsonb NOT NULL);
CREATE MATERIALIZED VIEW mv_workspace_analytics AS
  SELECT workspace_id, count(*) AS records, sum(amount) AS total FROM financial_management.consumption_record GROUP BY workspace_id;
CREATE UNIQUE INDEX ON mv_workspace_analytics (workspace_id);
CREATE MATERIALIZED VIEW mv_workspace_totals AS SELECT 1 AS id, sum(records) AS records FROM mv_workspace_analytics;
CREATE UNIQUE INDEX ON mv_workspace_totals (id);
