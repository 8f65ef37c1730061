-- The same on the alerts it led to.
ALTER TABLE {table:alerts_v1} {on_cluster}
  ADD COLUMN IF NOT EXISTS contract_completeness Nullable(Float64) CODEC(ZSTD(1)), -- 0..1
  ADD COLUMN IF NOT EXISTS slot_completeness Nullable(Float64) CODEC(ZSTD(1)),   -- 0..1
  ADD COLUMN IF NOT EXISTS staleness_s Nullable(Float64) CODEC(ZSTD(1))          -- seconds
