-- What each start of a collector set out to fetch and how far it came: the plan behind the slots of gaps_v1.
-- collector -> QUALITY -> processor -> collectors_v1 -> processor, gaps
CREATE TABLE IF NOT EXISTS {table:collectors_v1} {on_cluster} (
  provider LowCardinality(String),
  instance String,
  boot String,                                       -- one start of the instance
  live Bool,                                         -- its clock is the wall's: time goes on though it does not
  exchange_zone LowCardinality(String),
  interval_ms UInt32,                                -- from pass to pass
  delay_ms UInt32,                                   -- the provider's stated delay
  underlyings Array(String) CODEC(ZSTD(1)),          -- the plan
  own_intervals_ms Map(String, UInt32),              -- underlyings that are due less often
  planned_from DateTime64(3, 'UTC'),                 -- start of the first pass, on the provider's clock
  last_started_at DateTime64(3, 'UTC'),              -- start of the newest pass
  last_acked UInt64,                                 -- messages of CHAINS acknowledged: numbers 1 to here of its Sf-Publisher
  duplicates UInt64,                                 -- of these, how many the stream had already: their numbers are in no message
  ended Bool,                                        -- the provider has come to its end
  reported_at DateTime64(3, 'UTC'),                  -- by the wall
  version UInt64                                     -- sequence of the report
) ENGINE = {engine:ReplacingMergeTree(version)}
ORDER BY (provider, instance, boot)
