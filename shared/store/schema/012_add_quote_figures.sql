-- How far a contract's IV is off for being solved as a European option's, what it loses on its last day, and the states a quote can be in.
-- processor -> option_quotes_v1 -> API, exporter, Grafana
ALTER TABLE {table:option_quotes_v1} {on_cluster}
  ADD COLUMN IF NOT EXISTS iv_bias_vp Nullable(Decimal(9, 2)) CODEC(T64, ZSTD(1)), -- vol points, early exercise premium / vega, 0 for European roots
  ADD COLUMN IF NOT EXISTS theta_to_expiry Nullable(Decimal(9, 5)) CODEC(T64, ZSTD(1)), -- lost until expiry, forward and volatility held fixed, only with less than a day left
  MODIFY COLUMN flags UInt16 CODEC(ZSTD(1)) -- bits: 1 expired at market time, 2 crossed, 4 adjusted deliverable, 8 locked, 16 one side only, 32 no quote, 64 volume of a session before
