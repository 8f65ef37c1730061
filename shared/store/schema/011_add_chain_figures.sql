-- The figures of docs/features.md that a chain gained, the exposures by strike, and the conventions all of them were made under. Formulas: docs/features.md.
-- processor -> chain_features_v1 -> API, exporter, Grafana
ALTER TABLE {table:chain_features_v1} {on_cluster}
  ADD COLUMN IF NOT EXISTS n_live UInt32 CODEC(ZSTD(1)),                         -- contracts
  ADD COLUMN IF NOT EXISTS n_adjusted UInt32 CODEC(ZSTD(1)),                     -- contracts
  ADD COLUMN IF NOT EXISTS n_strikes UInt32 CODEC(ZSTD(1)),                      -- strikes
  ADD COLUMN IF NOT EXISTS n_two_sided UInt32 CODEC(ZSTD(1)),                    -- contracts
  ADD COLUMN IF NOT EXISTS n_one_sided UInt32 CODEC(ZSTD(1)),                    -- contracts
  ADD COLUMN IF NOT EXISTS n_locked UInt32 CODEC(ZSTD(1)),                       -- contracts
  ADD COLUMN IF NOT EXISTS n_crossed UInt32 CODEC(ZSTD(1)),                      -- contracts
  ADD COLUMN IF NOT EXISTS n_unquoted UInt32 CODEC(ZSTD(1)),                     -- contracts
  ADD COLUMN IF NOT EXISTS n_stale_volume UInt32 CODEC(ZSTD(1)),                 -- contracts
  ADD COLUMN IF NOT EXISTS median_spread_pct Nullable(Float64) CODEC(ZSTD(1)),   -- percent
  ADD COLUMN IF NOT EXISTS quote_quality Nullable(Float64) CODEC(ZSTD(1)),       -- 0..100
  ADD COLUMN IF NOT EXISTS atm_iv_7d Nullable(Float64) CODEC(ZSTD(1)),           -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS atm_iv_60d Nullable(Float64) CODEC(ZSTD(1)),          -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS atm_iv_90d Nullable(Float64) CODEC(ZSTD(1)),          -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS atm_iv_180d Nullable(Float64) CODEC(ZSTD(1)),         -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS atm_iv_365d Nullable(Float64) CODEC(ZSTD(1)),         -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS rr25_30d Nullable(Float64) CODEC(ZSTD(1)),            -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS bf25_30d Nullable(Float64) CODEC(ZSTD(1)),            -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS term_slope Nullable(Float64) CODEC(ZSTD(1)),          -- ratio
  ADD COLUMN IF NOT EXISTS term_inverted Nullable(Float64) CODEC(ZSTD(1)),       -- 0 no, 1 yes
  ADD COLUMN IF NOT EXISTS negative_forward_variance Nullable(UInt32) CODEC(ZSTD(1)), -- findings
  ADD COLUMN IF NOT EXISTS volatility_index_30d Nullable(Float64) CODEC(ZSTD(1)), -- fraction per sqrt(year)
  ADD COLUMN IF NOT EXISTS variance_complete_30d Nullable(Float64) CODEC(ZSTD(1)), -- 0 no, 1 yes
  ADD COLUMN IF NOT EXISTS variance_n_used UInt32 CODEC(ZSTD(1)),                -- strikes
  ADD COLUMN IF NOT EXISTS variance_n_total UInt32 CODEC(ZSTD(1)),               -- strikes
  ADD COLUMN IF NOT EXISTS variance_quality Nullable(Float64) CODEC(ZSTD(1)),    -- 0..100
  ADD COLUMN IF NOT EXISTS expected_move_1d Nullable(Float64) CODEC(ZSTD(1)),    -- price
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
  ADD COLUMN IF NOT EXISTS calendar_arbitrage Nullable(UInt32) CODEC(ZSTD(1)),   -- findings
  ADD COLUMN IF NOT EXISTS zero_gamma Nullable(Float64) CODEC(ZSTD(1)),          -- price
  ADD COLUMN IF NOT EXISTS gamma_regime Nullable(Float64) CODEC(ZSTD(1)),        -- ratio
  ADD COLUMN IF NOT EXISTS flip_cumulative Nullable(Float64) CODEC(ZSTD(1)),     -- price
  ADD COLUMN IF NOT EXISTS flip_local Nullable(Float64) CODEC(ZSTD(1)),          -- price
  ADD COLUMN IF NOT EXISTS call_wall Nullable(Float64) CODEC(ZSTD(1)),           -- price
  ADD COLUMN IF NOT EXISTS put_wall Nullable(Float64) CODEC(ZSTD(1)),            -- price
  ADD COLUMN IF NOT EXISTS abs_gamma_strike Nullable(Float64) CODEC(ZSTD(1)),    -- price
  ADD COLUMN IF NOT EXISTS highest_oi_strike Nullable(Float64) CODEC(ZSTD(1)),   -- price
  ADD COLUMN IF NOT EXISTS zero_dte_magnet Nullable(Float64) CODEC(ZSTD(1)),     -- price
  ADD COLUMN IF NOT EXISTS exposure_strikes Array(Float64) CODEC(ZSTD(1)),       -- strikes of the arrays below, ascending, all unexpired expiries pooled
  ADD COLUMN IF NOT EXISTS gex_by_strike Array(Float64) CODEC(ZSTD(1)),          -- gex_usd_1pct of each strike
  ADD COLUMN IF NOT EXISTS dex_by_strike Array(Float64) CODEC(ZSTD(1)),          -- dex_usd of each strike
  ADD COLUMN IF NOT EXISTS vex_by_strike Array(Float64) CODEC(ZSTD(1)),          -- vex_usd of each strike
  ADD COLUMN IF NOT EXISTS cex_by_strike Array(Float64) CODEC(ZSTD(1)),          -- cex_usd of each strike
  ADD COLUMN IF NOT EXISTS curve_source LowCardinality(String) CODEC(ZSTD(1)),   -- who published the rates
  ADD COLUMN IF NOT EXISTS curve_date LowCardinality(String) CODEC(ZSTD(1)),     -- day the rates were taken
  ADD COLUMN IF NOT EXISTS time_convention LowCardinality(String) CODEC(ZSTD(1)), -- how T is counted: calendar/365
  ADD COLUMN IF NOT EXISTS iv_method LowCardinality(String) CODEC(ZSTD(1)),      -- european_otm | american
  ADD COLUMN IF NOT EXISTS exposure_convention LowCardinality(String) CODEC(ZSTD(1)), -- whose side the dealers are on: calls+puts-
  MODIFY COLUMN call_volume Nullable(UInt64) CODEC(ZSTD(1)),                     -- contracts, null where not one contract says so
  MODIFY COLUMN put_volume Nullable(UInt64) CODEC(ZSTD(1)),                      -- contracts, null where not one contract says so
  MODIFY COLUMN call_open_interest Nullable(UInt64) CODEC(ZSTD(1)),              -- contracts, null where not one contract says so
  MODIFY COLUMN put_open_interest Nullable(UInt64) CODEC(ZSTD(1))                -- contracts, null where not one contract says so
