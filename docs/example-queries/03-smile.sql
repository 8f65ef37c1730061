-- The smile of the nearest expiry: implied volatility by strike, out-of-the-money legs only
SELECT expiry, strike, right, round(toFloat64(iv) * 100, 2) AS iv_percent
FROM option_quotes_v1 FINAL
WHERE underlying = 'SPY' AND iv_code = 'ok' AND snapshot_id = (
  SELECT argMax(snapshot_id, market_time) FROM snapshots_v1 WHERE underlying = 'SPY' AND outcome = 'stored')
ORDER BY expiry, strike
LIMIT 50
