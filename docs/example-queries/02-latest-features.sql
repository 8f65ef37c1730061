-- The latest features of every underlying
SELECT underlying, market_time, spot, atm_iv_30d, pcr_oi, max_pain, gex_usd_1pct, quality
FROM chain_features_v1 FINAL
WHERE NOT late
ORDER BY underlying, market_time DESC
LIMIT 1 BY underlying
