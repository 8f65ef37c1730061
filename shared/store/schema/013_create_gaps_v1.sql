-- The gap ledger: what became of every slot, an expected (provider, underlying, interval). Of two facts the higher rank stands.
-- collector, snapshots_v1 -> processor -> gaps_v1 -> gaps, Grafana
CREATE TABLE IF NOT EXISTS {table:gaps_v1} {on_cluster} (
  provider LowCardinality(String),
  slot DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),   -- its start, in market time: the provider's clock less its delay
  underlying LowCardinality(String),
  session_date Date CODEC(Delta, ZSTD(1)),           -- trading date in the exchange's zone
  interval_ms UInt32 CODEC(ZSTD(1)),                 -- from its start to the next one
  state Enum8('pending' = 1, 'missing' = 2, 'unchanged' = 3, 'late' = 4, 'delivered' = 5) CODEC(ZSTD(1)),
  reason LowCardinality(String) CODEC(ZSTD(1)),      -- why it is missing; empty when it is not
  detail String CODEC(ZSTD(1)),                      -- what was seen, for a person
  coverage Enum8('published' = 1, 'by_rule' = 2, 'unpublished' = 3) CODEC(ZSTD(1)), -- how the session is known; of an unpublished year nothing counts as missing
  stream_seq UInt64 CODEC(ZSTD(1)),                  -- of CHAINS, while pending and when lost; else 0
  rank UInt8 CODEC(ZSTD(1)),                         -- of the fact; the highest stands
  stored_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1))
) ENGINE = {engine:ReplacingMergeTree(rank)}
PARTITION BY toYYYYMM(slot)
ORDER BY (provider, slot, underlying)
