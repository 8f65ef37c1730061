-- What is computed for one expiry of one snapshot.
-- processor -> expiry_features_v1 -> API, exporter, Grafana
CREATE TABLE IF NOT EXISTS {table:expiry_features_v1} {on_cluster} (
  underlying LowCardinality(String),
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  provider LowCardinality(String),
  snapshot_id UUID CODEC(ZSTD(1)),
  root LowCardinality(String),
  expiry Date CODEC(Delta, ZSTD(1)),
  expiry_at DateTime('UTC') CODEC(Delta, ZSTD(1)),
  years_to_expiry Float64 CODEC(ZSTD(1)),            -- seconds to expiry_at / 31,536,000
  n_contracts UInt32 CODEC(ZSTD(1)),                 -- unexpired, standard deliverable
  n_used UInt32 CODEC(ZSTD(1)),                      -- of these with an IV of their own
  forward Nullable(Float64) CODEC(ZSTD(1)),          -- implied forward price
  forward_source LowCardinality(String),             -- parity | carry | none
  atm_iv Nullable(Float64) CODEC(ZSTD(1)),           -- at the forward, fraction per sqrt(year)
  straddle Nullable(Float64) CODEC(ZSTD(1)),         -- mid of call + put nearest the forward
  expected_move Nullable(Float64) CODEC(ZSTD(1)),    -- one sigma to expiry, in price
  call_volume UInt64 CODEC(ZSTD(1)),
  put_volume UInt64 CODEC(ZSTD(1)),
  call_open_interest UInt64 CODEC(ZSTD(1)),
  put_open_interest UInt64 CODEC(ZSTD(1)),
  pcr_volume Nullable(Float64) CODEC(ZSTD(1)),       -- put volume / call volume; null on a thin denominator
  pcr_oi Nullable(Float64) CODEC(ZSTD(1)),           -- put / call open interest; null on a thin denominator
  max_pain Nullable(Float64) CODEC(ZSTD(1)),         -- strike of least total payout
  gex_usd_1pct Nullable(Float64) CODEC(ZSTD(1)),     -- dollars of delta per 1 % move; calls plus, puts minus
  quality Float64 CODEC(ZSTD(1)),                    -- 0..100
  epoch UInt32 CODEC(ZSTD(1)),
  code_version LowCardinality(String),
  stored_at DateTime('UTC') DEFAULT now() CODEC(ZSTD(1))
) ENGINE = {engine:ReplacingMergeTree(epoch)}
PARTITION BY toMonday(market_time)
ORDER BY (underlying, market_time, provider, snapshot_id, root, expiry)
