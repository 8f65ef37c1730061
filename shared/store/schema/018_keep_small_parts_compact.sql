-- Parts of up to 256 MiB (1.4 million rows, uncompressed) keep their columns in one file: what a flush inserts, and the first merges.
-- 34 columns as 90 files each cost an insert a third of its time. Larger parts are as wide as before.
ALTER TABLE {table:option_quotes_v1} {on_cluster}
  MODIFY SETTING min_bytes_for_wide_part = 268435456
