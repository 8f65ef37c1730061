-- What is computed for a whole chain, one row per snapshot with a spot.
-- processor -> chain_features_v1 -> API, exporter, Grafana
CREATE TABLE IF NOT EXISTS {table:chain_features_v1} {on_cluster} (
  underlying LowCardinality(String),
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
  provider LowCardinality(String),
  snapshot_id UUID CODEC(ZSTD(1)),
  scan_id String CODEC(ZSTD(1)),                     -- the pass that brought the snapshot
  session_date Date CODEC(Delta, ZSTD(1)),           -- trading date in the exchange's zone
  spot Float64 CODEC(ZSTD(1)),
  n_contracts UInt32 CODEC(ZSTD(1)),                 -- all stored, expired and adjusted ones included
  n_expired UInt32 CODEC(ZSTD(1)),
  n_used UInt32 CODEC(ZSTD(1)),                      -- with an IV of their own
  atm_iv_30d Nullable(Float64) CODEC(ZSTD(1)),       -- at 30 calendar days, fraction per sqrt(year)
  atm_iv_front Nullable(Float64) CODEC(ZSTD(1)),     -- of the nearest expiry that has one
  expected_move Nullable(Float64) CODEC(ZSTD(1)),    -- one sigma to that expiry, in price
  call_volume UInt64 CODEC(ZSTD(1)),
  put_volume UInt64 CODEC(ZSTD(1)),
  call_open_interest UInt64 CODEC(ZSTD(1)),
  put_open_interest UInt64 CODEC(ZSTD(1)),
  pcr_volume Nullable(Float64) CODEC(ZSTD(1)),
  pcr_oi Nullable(Float64) CODEC(ZSTD(1)),
  max_pain Nullable(Float64) CODEC(ZSTD(1)),         -- over all unexpired expiries pooled
  gex_usd_1pct Nullable(Float64) CODEC(ZSTD(1)),     -- calls plus, puts minus
  content_unchanged Bool,                            -- the provider's time moved on, its content did not
  late Bool,                                         -- not newer than the last of this underlying and provider
  quality Float64 CODEC(ZSTD(1)),                    -- 0..100
  risk_free_rate Float64 CODEC(ZSTD(1)),             -- continuously compounded, flat
  epoch UInt32 CODEC(ZSTD(1)),
  code_version LowCardinality(String),
  stored_at DateTime('UTC') DEFAULT now() CODEC(ZSTD(1))
) ENGINE = {engine:ReplacingMergeTree(epoch)}
PARTITION BY toMonday(market_time)
ORDER BY (underlying, market_time, provider, snapshot_id)
