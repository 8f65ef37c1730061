-- Passes of the plan over the universe; the newest version of a scan wins.
-- collector -> SCAN_RESULTS -> processor -> scans_v1 -> API, exporter, Grafana
CREATE TABLE IF NOT EXISTS {table:scans_v1} {on_cluster} (
  scan_id String,
  provider LowCardinality(String),
  status Enum8('running' = 1, 'completed' = 2, 'failed' = 3, 'cancelled' = 4),
  started_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), -- on the provider's clock
  finished_at Nullable(DateTime64(3, 'UTC')) CODEC(ZSTD(1)),
  planned UInt32,                                    -- underlyings the pass set out to fetch
  delivered UInt32,
  repeated UInt32,                                   -- delivered, but the same snapshot as before
  refused UInt32,
  contracts UInt64,
  rejects_by_reason Map(LowCardinality(String), UInt32),
  refusals_by_reason Map(LowCardinality(String), UInt32),
  version UInt64,                                    -- sequence of the message that brought this row
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (scan_id)
