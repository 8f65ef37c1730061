import { z } from 'zod'
import { flag, integer, list } from '../../shared/runtime/config.ts'

/** Settings under the prefix `STANDALONE`; `strikeflow start` sets them from its options. */
export const standaloneSettings = z.object({
  /** Everything the stack keeps lies below it. */
  dataDirectory: z.string().default('data'),
  /** Discards what is there from before. */
  fresh: flag().default(false),
  natsPort: integer(0, 65_535).default(4222),
  clickhousePort: integer(0, 65_535).default(8123),
  apiPort: integer(0, 65_535).default(8061),
  /** Processes that share the partitions. */
  processors: integer(1, 64).default(1),
  provider: z.enum(['simulator', 'cboe', 'recording', 'none']).default('simulator'),
  underlyings: list().optional(),
  recordingPath: z.string().optional(),
  /** Simulated or recorded seconds in one real second; 0 = as fast as possible. */
  speed: z.coerce.number().min(0).optional(),
  seed: integer(0, 2 ** 31 - 1).optional(),
  /** Below so much free disk the board warns. */
  diskWarnBytes: integer(0, 2 ** 53 - 1).default(5 * 1024 ** 3),
  /** A service whose event loop stands for so long is killed and started again; time without a CPU does not count. 0: never. */
  hangSeconds: integer(0, 86_400).default(20),
  /** Keeps every message of CHAINS as files under `archive` of the data directory. */
  archive: flag().default(true),
  /** `full` runs every stage; `store` only what stores: for a bounded ingest. */
  stages: z.enum(['full', 'store']).default('full'),
})
export type StandaloneSettings = z.output<typeof standaloneSettings>
