-- What the detectors remembered after each snapshot; a new owner goes on from the newest committed row.
-- processor -> detector_states_v1 -> processor
CREATE TABLE IF NOT EXISTS {table:detector_states_v1} {on_cluster} (
  underlying LowCardinality(String),
  provider LowCardinality(String),
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  snapshot_id UUID CODEC(ZSTD(1)),                   -- the state is as of this snapshot
  state String CODEC(ZSTD(3)),                       -- JSON
  epoch UInt32 CODEC(ZSTD(1)),
  code_version LowCardinality(String),
  stored_at DateTime('UTC') DEFAULT now() CODEC(ZSTD(1))
) ENGINE = {engine:ReplacingMergeTree(epoch)}
PARTITION BY toMonday(market_time)
ORDER BY (underlying, provider, market_time, snapshot_id)
