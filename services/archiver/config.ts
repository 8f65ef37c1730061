import { z } from 'zod'
import { integer } from '../../shared/runtime/config.ts'

/** Settings under the prefix `ARCHIVER`. */
export const archiverSettings = z.object({
  /** Where the files are written; one archiver a directory. */
  directory: z.string().min(1).default('data/archive'),
  /** A file is written when its messages have so many MiB … */
  fileMebibytes: integer(1, 512).default(16),
  /** … or so long after the first of them came, whichever comes first. */
  fileSeconds: integer(1, 86_400).default(60),
  /** Days after which whole days are removed; 0 keeps everything. */
  retentionDays: integer(0, 36_500).default(0),
  /** Nothing is written while the disk has less left: an archive must not take the room of the streams and the database. */
  minFreeMebibytes: integer(0, 2 ** 31 - 1).default(1024),
  /** Wait after a file that could not be written. */
  retryMs: integer(10, 600_000).default(2000),
  /** How often the cursor is compared with what the stream keeps. */
  lagCheckMs: integer(50, 600_000).default(10_000),
  /** Share of the stream's retention, in bytes or age, at which a cursor is said to be in danger. */
  lagNearShare: z.coerce.number().min(0.01).max(1).default(0.8),
  /** Holds each write for so long half-way through the file and before its entry; for tests of being killed there. */
  pauseInWriteMs: integer(0, 60_000).default(0),
})
export type ArchiverSettings = z.output<typeof archiverSettings>
