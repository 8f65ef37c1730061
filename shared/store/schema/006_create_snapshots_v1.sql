-- The commit log: one row per message of CHAINS, written after all other rows of its snapshot. It is the acknowledgement,
-- and the cursor of a partition is the end of its unbroken previous_seq chain.
-- processor -> snapshots_v1 -> processor, verify, API, Grafana
--
-- Unpartitioned, so that the commit rows of one flush are one block and become visible together.
CREATE TABLE IF NOT EXISTS {table:snapshots_v1} {on_cluster} (
  incarnation LowCardinality(String),                -- creation time of the stream; a re-created stream starts its sequence again
  partition UInt16 CODEC(ZSTD(1)),
  stream_seq UInt64 CODEC(Delta, ZSTD(1)),
  previous_seq UInt64 CODEC(Delta, ZSTD(1)),         -- the message before it in this partition; 0 = the first
  message_id String CODEC(ZSTD(1)),
  outcome Enum8('stored' = 1, 'duplicate' = 2, 'dropped' = 3, 'dead-lettered' = 4),
  reason LowCardinality(String),                     -- why it was not stored; empty when it was
  snapshot_id UUID CODEC(ZSTD(1)),                   -- nil when the message could not be read
  content_hash String CODEC(ZSTD(1)),
  provider LowCardinality(String),
  underlying LowCardinality(String),
  scan_id String CODEC(ZSTD(1)),
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  received_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), -- when the collector had it
  published_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)), -- when it entered the stream
  content_unchanged Bool,
  late Bool,
  n_quotes UInt32 CODEC(ZSTD(1)),                    -- rows of this snapshot in option_quotes_v1
  n_expiries UInt32 CODEC(ZSTD(1)),                  -- rows in expiry_features_v1
  n_chains UInt32 CODEC(ZSTD(1)),                    -- rows in chain_features_v1: 0 or 1
  n_alerts UInt32 CODEC(ZSTD(1)),
  n_rejects UInt32 CODEC(ZSTD(1)),                   -- rows in quote_rejects_v1
  epoch UInt32 CODEC(ZSTD(1)),
  code_version LowCardinality(String),
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)),
  INDEX by_snapshot snapshot_id TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = {engine:ReplacingMergeTree(epoch)}
ORDER BY (incarnation, partition, stream_seq)
SETTINGS index_granularity = 1024
