-- Gamma exposure by strike: dollars of delta per 1 % move, calls plus, puts minus
SELECT strike,
  round(sum(if(right = 'C', 1, -1) * toFloat64(gamma) * open_interest * 100 * pow(spot, 2) * 0.01)) AS gex_usd_1pct
FROM option_quotes_v1 AS q FINAL
INNER JOIN chain_features_v1 AS c ON c.snapshot_id = q.snapshot_id
WHERE q.underlying = 'SPY' AND bitAnd(flags, 5) = 0 AND q.snapshot_id = (
  SELECT argMax(snapshot_id, market_time) FROM snapshots_v1 WHERE underlying = 'SPY' AND outcome = 'stored')
GROUP BY strike
HAVING gex_usd_1pct != 0
ORDER BY abs(gex_usd_1pct) DESC
LIMIT 20
