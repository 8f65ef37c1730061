-- Every contract of every snapshot, with our figures beside the provider's own.
-- processor -> option_quotes_v1 -> API, exporter, Grafana
--
-- One row per contract and snapshot; the rows of a snapshot count only once its commit row is in snapshots_v1. A snapshot
-- written twice (takeover after a crash) leaves the rows of the higher epoch. Sorted by snapshot, not by contract: the
-- latest chain is one short read.
CREATE TABLE IF NOT EXISTS {table:option_quotes_v1} {on_cluster} (
  underlying LowCardinality(String),                              -- canonical ticker: SPX, BRK.B
  market_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),          -- when the market showed this: provider time less its stated delay
  provider LowCardinality(String),
  snapshot_id UUID CODEC(ZSTD(1)),                                 -- the snapshot this row belongs to
  root LowCardinality(String),                                     -- OCC root: SPX and SPXW both lie under SPX
  expiry Date CODEC(Delta, ZSTD(1)),                               -- civil date in the exchange's zone
  expiry_at DateTime('UTC') CODEC(Delta, ZSTD(1)),                 -- instant of expiry
  strike Decimal(18, 4) CODEC(Delta, ZSTD(1)),
  right Enum8('C' = 1, 'P' = 2),
  bid Nullable(Decimal(18, 4)) CODEC(T64, ZSTD(1)),                -- as sent; 0 = nobody bids
  ask Nullable(Decimal(18, 4)) CODEC(T64, ZSTD(1)),                -- as sent; 0 = nobody offers
  bid_size Nullable(UInt32) CODEC(T64, ZSTD(1)),                   -- contracts
  ask_size Nullable(UInt32) CODEC(T64, ZSTD(1)),                   -- contracts
  last Nullable(Decimal(18, 4)) CODEC(T64, ZSTD(1)),               -- last trade's price; null = never traded
  last_trade_at Nullable(DateTime('UTC')) CODEC(T64, ZSTD(1)),
  volume Nullable(UInt32) CODEC(T64, ZSTD(1)),                     -- contracts traded in the session so far
  open_interest Nullable(UInt32) CODEC(T64, ZSTD(1)),              -- contracts
  iv Nullable(Decimal(9, 5)) CODEC(T64, ZSTD(1)),                  -- ours, fraction per sqrt(year); of the out-of-the-money leg
  iv_code Enum8('ok' = 0, 'below_intrinsic' = 1, 'above_bound' = 2, 'no_bid' = 3, 'crossed' = 4, 'expired' = 5,
    'below_time_floor' = 6, 'no_forward' = 7, 'itm_twin' = 8, 'adjusted' = 9) CODEC(ZSTD(1)), -- why iv is there or not; itm_twin = taken from the other leg
  delta Nullable(Decimal(9, 5)) CODEC(T64, ZSTD(1)),
  gamma Nullable(Decimal(9, 7)) CODEC(T64, ZSTD(1)),               -- per 1.00 of the underlying
  theta Nullable(Decimal(9, 5)) CODEC(T64, ZSTD(1)),               -- per calendar day, forward held fixed
  vega Nullable(Decimal(9, 5)) CODEC(T64, ZSTD(1)),                -- per vol point
  provider_iv Nullable(Decimal(9, 4)) CODEC(T64, ZSTD(1)),         -- the provider's, fraction; null where it computes none
  provider_delta Nullable(Decimal(9, 4)) CODEC(T64, ZSTD(1)),
  provider_gamma Nullable(Decimal(9, 4)) CODEC(T64, ZSTD(1)),
  provider_theta Nullable(Decimal(9, 4)) CODEC(T64, ZSTD(1)),      -- per calendar day
  provider_vega Nullable(Decimal(9, 4)) CODEC(T64, ZSTD(1)),       -- per vol point
  provider_rho Nullable(Decimal(9, 4)) CODEC(T64, ZSTD(1)),        -- per 1 % of rate
  flags UInt16 CODEC(ZSTD(1)),                                     -- bits: 1 expired at market time, 2 crossed, 4 adjusted deliverable
  epoch UInt32 CODEC(ZSTD(1)),                                     -- of the processor that wrote the row; the highest wins
  code_version LowCardinality(String),                             -- of the code that computed the row
  stored_at DateTime('UTC') DEFAULT now() CODEC(ZSTD(1))           -- when it was written; retention counts from here
) ENGINE = {engine:ReplacingMergeTree(epoch)}
PARTITION BY toMonday(market_time)
ORDER BY (underlying, market_time, provider, snapshot_id, root, expiry, strike, right)
