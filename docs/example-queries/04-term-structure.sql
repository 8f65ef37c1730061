-- The term structure: at-the-money volatility by expiry
SELECT expiry, root, round(years_to_expiry * 365, 1) AS days, round(atm_iv * 100, 2) AS atm_iv_percent, expected_move
FROM expiry_features_v1 FINAL
WHERE underlying = 'SPY' AND snapshot_id = (
  SELECT argMax(snapshot_id, market_time) FROM chain_features_v1 WHERE underlying = 'SPY')
ORDER BY expiry_at
