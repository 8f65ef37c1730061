-- The commit log only grows, and most who read it mean its last minutes or one collector: without these they read all of it.
-- Parts written before have them when they are merged.
ALTER TABLE {table:snapshots_v1} {on_cluster}
  ADD INDEX IF NOT EXISTS by_stored_at stored_at TYPE minmax GRANULARITY 1,
  ADD INDEX IF NOT EXISTS by_publisher publisher TYPE set(16) GRANULARITY 1
