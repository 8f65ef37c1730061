-- The fence: an owner of a partition inserts a higher epoch, and every insert of the one before it is refused from then on.
-- processor -> partition_epochs_v1 -> every insert's own check
CREATE TABLE IF NOT EXISTS {table:partition_epochs_v1} {on_cluster} (
  partition UInt16,
  epoch UInt32,
  owner String,                                      -- instance/boot, for people
  taken_at DateTime64(3, 'UTC') DEFAULT now64(3)
) ENGINE = {engine:MergeTree}
ORDER BY (partition, epoch)
