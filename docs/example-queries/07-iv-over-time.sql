-- 30-day implied volatility of one underlying, minute by minute
SELECT toStartOfMinute(market_time) AS minute, round(argMax(atm_iv_30d, market_time) * 100, 2) AS iv_percent
FROM chain_features_v1 FINAL
WHERE underlying = 'SPY' AND NOT content_unchanged AND NOT late
GROUP BY minute
ORDER BY minute
