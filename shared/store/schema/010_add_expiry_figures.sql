-- The figures of docs/features.md that an expiry gained: forward, smile, variance index, exposures, arbitrage, each family with its counts. Formulas: docs/features.md.
-- processor -> expiry_features_v1 -> API, exporter, Grafana
ALTER TABLE {table:expiry_features_v1} {on_cluster}
  ADD COLUMN IF NOT EXISTS n_strikes UInt32 CODEC(ZSTD(1)),                      -- strikes
  ADD COLUMN IF NOT EXISTS rate Nullable(Float64) CODEC(ZSTD(1)),                -- fraction per year, continuous
  ADD COLUMN IF NOT EXISTS carry Nullable(Float64) CODEC(ZSTD(1)),               -- fraction per year, continuous
  ADD COLUMN IF NOT EXISTS dividend_yield Nullable(Float64) CODEC(ZSTD(1)),      -- fraction per year, continuous
  ADD COLUMN IF NOT EXISTS forward_correction Nullable(Float64) CODEC(ZSTD(1)),  -- price
  ADD COLUMN IF NOT EXISTS forward_n_used UInt32 CODEC(ZSTD(1)),                 -- strikes
  ADD COLUMN IF NOT EXISTS forward_quality Nullable(Float64) CODEC(ZSTD(1)),     -- 0..100
  ADD COLUMN IF NOT EXISTS atm_iv_bias_vp Nullable(Float64) CODEC(ZSTD(1)),      -- vol points
  ADD COLUMN IF NOT EXISTS atm_half_spread_vp Nullable(Float64) CODEC(ZSTD(1)),  -- vol points
  ADD COLUMN IF NOT EXISTS rr25 Nullable(Float64) CODEC(ZSTD(1)),                -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS bf25 Nullable(Float64) CODEC(ZSTD(1)),                -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS rr10 Nullable(Float64) CODEC(ZSTD(1)),                -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS bf10 Nullable(Float64) CODEC(ZSTD(1)),                -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS normalised_skew Nullable(Float64) CODEC(ZSTD(1)),     -- ratio
  ADD COLUMN IF NOT EXISTS skew_slope Nullable(Float64) CODEC(ZSTD(1)),          -- ratio
  ADD COLUMN IF NOT EXISTS skew_curvature Nullable(Float64) CODEC(ZSTD(1)),      -- ratio
  ADD COLUMN IF NOT EXISTS smirk Nullable(Float64) CODEC(ZSTD(1)),               -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS variance_index Nullable(Float64) CODEC(ZSTD(1)),      -- fraction^2 per year
  ADD COLUMN IF NOT EXISTS variance_complete Nullable(Float64) CODEC(ZSTD(1)),   -- 0 no, 1 yes
  ADD COLUMN IF NOT EXISTS variance_n_used UInt32 CODEC(ZSTD(1)),                -- strikes
  ADD COLUMN IF NOT EXISTS variance_n_total UInt32 CODEC(ZSTD(1)),               -- strikes
  ADD COLUMN IF NOT EXISTS variance_quality Nullable(Float64) CODEC(ZSTD(1)),    -- 0..100
  ADD COLUMN IF NOT EXISTS expected_move_straddle Nullable(Float64) CODEC(ZSTD(1)), -- price
  ADD COLUMN IF NOT EXISTS call_premium Nullable(Float64) CODEC(ZSTD(1)),        -- currency of the underlying
  ADD COLUMN IF NOT EXISTS put_premium Nullable(Float64) CODEC(ZSTD(1)),         -- currency of the underlying
  ADD COLUMN IF NOT EXISTS pcr_premium Nullable(Float64) CODEC(ZSTD(1)),         -- ratio
  ADD COLUMN IF NOT EXISTS volume_n_used UInt32 CODEC(ZSTD(1)),                  -- contracts
  ADD COLUMN IF NOT EXISTS volume_quality Nullable(Float64) CODEC(ZSTD(1)),      -- 0..100
  ADD COLUMN IF NOT EXISTS open_interest_n_used UInt32 CODEC(ZSTD(1)),           -- contracts
  ADD COLUMN IF NOT EXISTS open_interest_quality Nullable(Float64) CODEC(ZSTD(1)), -- 0..100
  ADD COLUMN IF NOT EXISTS gex_shares Nullable(Float64) CODEC(ZSTD(1)),          -- units of the underlying per 1.00 of spot
  ADD COLUMN IF NOT EXISTS gex_abs_usd_1pct Nullable(Float64) CODEC(ZSTD(1)),    -- currency of the underlying
  ADD COLUMN IF NOT EXISTS dex_usd Nullable(Float64) CODEC(ZSTD(1)),             -- currency of the underlying
  ADD COLUMN IF NOT EXISTS vex_usd Nullable(Float64) CODEC(ZSTD(1)),             -- currency of the underlying
  ADD COLUMN IF NOT EXISTS cex_usd Nullable(Float64) CODEC(ZSTD(1)),             -- currency of the underlying
  ADD COLUMN IF NOT EXISTS exposure_n_used UInt32 CODEC(ZSTD(1)),                -- contracts
  ADD COLUMN IF NOT EXISTS exposure_quality Nullable(Float64) CODEC(ZSTD(1)),    -- 0..100
  ADD COLUMN IF NOT EXISTS vertical_arbitrage Nullable(UInt32) CODEC(ZSTD(1)),   -- findings
  ADD COLUMN IF NOT EXISTS butterfly_arbitrage Nullable(UInt32) CODEC(ZSTD(1)),  -- findings
  ADD COLUMN IF NOT EXISTS parity_arbitrage Nullable(UInt32) CODEC(ZSTD(1)),     -- findings
  ADD COLUMN IF NOT EXISTS worst_arbitrage Nullable(Float64) CODEC(ZSTD(1)),     -- price
  ADD COLUMN IF NOT EXISTS mid_violations Nullable(UInt32) CODEC(ZSTD(1)),       -- findings
  ADD COLUMN IF NOT EXISTS arbitrage_n_used UInt32 CODEC(ZSTD(1)),               -- tests
  ADD COLUMN IF NOT EXISTS arbitrage_n_total UInt32 CODEC(ZSTD(1)),              -- tests
  ADD COLUMN IF NOT EXISTS arbitrage_quality Nullable(Float64) CODEC(ZSTD(1)),   -- 0..100
  ADD COLUMN IF NOT EXISTS exercise_style LowCardinality(String) CODEC(ZSTD(1)), -- of the root: european | american
  MODIFY COLUMN forward_source LowCardinality(String),                          -- parity | previous_carry | neighbour_carry | spot_carry | none
  MODIFY COLUMN call_volume Nullable(UInt64) CODEC(ZSTD(1)),                     -- contracts, null where not one contract says so
  MODIFY COLUMN put_volume Nullable(UInt64) CODEC(ZSTD(1)),                      -- contracts, null where not one contract says so
  MODIFY COLUMN call_open_interest Nullable(UInt64) CODEC(ZSTD(1)),              -- contracts, null where not one contract says so
  MODIFY COLUMN put_open_interest Nullable(UInt64) CODEC(ZSTD(1))                -- contracts, null where not one contract says so
