-- The newest alerts
SELECT market_time, severity, detector, underlying, score, message
FROM alerts_v1 FINAL
ORDER BY market_time DESC
LIMIT 20
