-- Contract rows that were refused, each with its reason: nothing is left out in silence.
-- collector -> CHAINS -> processor -> quote_rejects_v1
CREATE TABLE IF NOT EXISTS {table:quote_rejects_v1} {on_cluster} (
  underlying LowCardinality(String),
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  provider LowCardinality(String),
  snapshot_id UUID CODEC(ZSTD(1)),
  ordinal UInt32 CODEC(Delta, ZSTD(1)),              -- place among the rejects of the snapshot
  symbol String CODEC(ZSTD(1)),                      -- as the provider wrote it
  reason LowCardinality(String),
  detail String CODEC(ZSTD(1)),
  epoch UInt32 CODEC(ZSTD(1)),
  code_version LowCardinality(String),
  stored_at DateTime('UTC') DEFAULT now() CODEC(ZSTD(1))
) ENGINE = {engine:ReplacingMergeTree(epoch)}
PARTITION BY toYYYYMM(market_time)
ORDER BY (underlying, market_time, provider, snapshot_id, ordinal)
