-- How complete and how fresh the input of a chain's figures was. Formulas: docs/features.md.
ALTER TABLE {table:chain_features_v1} {on_cluster}
  ADD COLUMN IF NOT EXISTS contract_completeness Nullable(Float64) CODEC(ZSTD(1)), -- 0..1
  ADD COLUMN IF NOT EXISTS slot_completeness Nullable(Float64) CODEC(ZSTD(1)),   -- 0..1
  ADD COLUMN IF NOT EXISTS staleness_s Nullable(Float64) CODEC(ZSTD(1)),         -- seconds
  ADD COLUMN IF NOT EXISTS last_trade_age_s Nullable(Float64) CODEC(ZSTD(1))     -- seconds
