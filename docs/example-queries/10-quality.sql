-- What became of the quotes: implied volatilities by result
SELECT underlying, iv_code, count() AS contracts, round(100 * contracts / sum(contracts) OVER (PARTITION BY underlying), 1) AS percent
FROM option_quotes_v1 FINAL
GROUP BY underlying, iv_code
ORDER BY underlying, contracts DESC
LIMIT 50
