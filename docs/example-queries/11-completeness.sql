-- How complete each underlying's newest session is, the worst first; slots of years whose sessions are a guess do not count
SELECT provider, underlying, session_date, countIf(state != 'missing') / count() AS completeness,
  countIf(state = 'delivered') AS delivered, countIf(state = 'unchanged') AS unchanged, countIf(state = 'late') AS late,
  countIf(state = 'missing') AS missing
FROM gaps_v1 FINAL
WHERE session_date = (SELECT max(session_date) FROM gaps_v1) AND coverage != 'unpublished' AND state != 'pending'
GROUP BY provider, underlying, session_date
ORDER BY completeness, underlying
