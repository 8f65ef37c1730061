-- Every alert, one row per id.
-- processor -> alerts_v1 -> API, exporter, Grafana
CREATE TABLE IF NOT EXISTS {table:alerts_v1} {on_cluster} (
  underlying LowCardinality(String),
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  alert_id UUID CODEC(ZSTD(1)),                      -- the message id on alerts.>
  snapshot_id UUID CODEC(ZSTD(1)),                   -- the snapshot that raised it
  scan_id String CODEC(ZSTD(1)),
  provider LowCardinality(String),
  detector LowCardinality(String),
  detector_version UInt16,
  parameters_hash LowCardinality(String),            -- of the detector's thresholds
  severity Enum8('info' = 1, 'warning' = 2, 'critical' = 3),
  score Float64,                                     -- 0..100
  message String CODEC(ZSTD(1)),                     -- one sentence for a person
  evidence String CODEC(ZSTD(1)),                    -- JSON object: the figures behind the finding
  inputs Array(UUID) CODEC(ZSTD(1)),                 -- snapshots it rests on, newest first
  quality Float64,                                   -- 0..100
  replayed Bool,
  epoch UInt32,
  code_version LowCardinality(String),
  stored_at DateTime('UTC') DEFAULT now()
) ENGINE = {engine:ReplacingMergeTree(epoch)}
PARTITION BY toYYYYMM(market_time)
ORDER BY (underlying, market_time, alert_id)
