-- What became of one underlying's slots around a time, and why those missing are missing
SELECT underlying, slot, state, reason, detail
FROM gaps_v1 FINAL
WHERE underlying = 'SPY' AND slot >= (SELECT max(slot) FROM gaps_v1) - toIntervalHour(1)
ORDER BY slot
