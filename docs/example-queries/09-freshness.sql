-- How far behind each provider is, from market time to stored
SELECT provider, count() AS snapshots, max(market_time) AS newest,
  round(quantile(0.5)(dateDiff('millisecond', published_at, stored_at)) / 1000, 3) AS seconds_to_stored_p50,
  round(quantile(0.99)(dateDiff('millisecond', published_at, stored_at)) / 1000, 3) AS seconds_to_stored_p99
FROM snapshots_v1 FINAL
WHERE outcome = 'stored'
GROUP BY provider
