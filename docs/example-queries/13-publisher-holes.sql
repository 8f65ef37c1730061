-- Messages a collector was told are stored, against those with a commit row: what is missing is lost, or still to be processed
SELECT publisher, acked, duplicates, uniqExactIf(publisher_seq, publisher_seq BETWEEN 1 AND acked) AS committed,
  acked - duplicates - committed AS unaccounted
FROM (SELECT concat(instance, '/', boot) AS publisher, last_acked AS acked, duplicates FROM collectors_v1 FINAL) AS boots
LEFT JOIN snapshots_v1 ON snapshots_v1.publisher = boots.publisher
GROUP BY publisher, acked, duplicates
ORDER BY publisher
