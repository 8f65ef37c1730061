-- Put/call ratios by volume and open interest, largest first
SELECT underlying, round(pcr_volume, 3) AS by_volume, round(pcr_oi, 3) AS by_open_interest
FROM (SELECT * FROM chain_features_v1 FINAL ORDER BY market_time DESC LIMIT 1 BY underlying)
WHERE pcr_oi IS NOT NULL
ORDER BY pcr_oi DESC
LIMIT 20
