-- Who published a message and for which slot: holes in the numbers of one publisher are losses, and slots are filled from here.
ALTER TABLE {table:snapshots_v1} {on_cluster}
  ADD COLUMN IF NOT EXISTS publisher LowCardinality(String) CODEC(ZSTD(1)),      -- <instance>/<boot> of the collector
  ADD COLUMN IF NOT EXISTS publisher_seq UInt64 CODEC(Delta, ZSTD(1)),           -- 1 for the first message of this publisher, and so on; 0 = it did not say
  ADD COLUMN IF NOT EXISTS exchange_zone LowCardinality(String) CODEC(ZSTD(1)),  -- of the sessions the slot is of
  ADD COLUMN IF NOT EXISTS slot_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),   -- start of the slot it was fetched for; 1970 = none
  ADD COLUMN IF NOT EXISTS slot_interval_ms UInt32 CODEC(ZSTD(1)),               -- length of that slot
  ADD COLUMN IF NOT EXISTS slot_lag_ms Int64 CODEC(ZSTD(1))                      -- from the slot's start to its receipt, the provider's delay taken off
