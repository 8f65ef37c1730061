-- The latest chain of one underlying
SELECT expiry, strike, right, bid, ask, iv, iv_code, delta, open_interest
FROM option_quotes_v1 FINAL
WHERE underlying = 'SPY' AND snapshot_id = (
  SELECT argMax(snapshot_id, market_time) FROM snapshots_v1 WHERE underlying = 'SPY' AND outcome = 'stored')
ORDER BY expiry, strike, right
LIMIT 20
