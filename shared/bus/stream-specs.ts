/**
 * Every stream and bucket of the system, as data. `production` sizes are per replica; `embedded` ones fit a laptop and
 * together stay under the embedded server's `max_file_store`, because JetStream reserves every stream's `max_bytes`.
 */
export type StreamProfile = 'production' | 'embedded'

export const streamNames = ['CHAINS', 'ALERTS', 'FEATURES', 'SCANS', 'SCAN_RESULTS', 'QUALITY', 'DLQ'] as const

export interface StreamSpec {
  readonly name: string
  readonly description: string
  readonly subjects: readonly string[]
  readonly retention: 'limits' | 'workqueue'
  /** What gives way when the stream is full: the oldest message, or the publisher. */
  readonly discard: 'old' | 'new'
  readonly maxBytes: Readonly<Record<StreamProfile, number>>
  /** Null keeps messages until the bytes are full. */
  readonly maxAgeMs: number | null
  readonly duplicateWindowMs: number
  /** Payload with headers. */
  readonly maxMessageBytes: number
  /** Null is no limit; 1 keeps the last value of each subject. */
  readonly maxMessagesPerSubject: number | null
  readonly maxMessages: number | null
  /** On disk, where the server can (2.10); pointless for payloads that are compressed already. */
  readonly compressed: boolean
  /** A key-value bucket lies in this stream. */
  readonly bucket?: true
}

const kb = 1024
const mb = 1024 * kb
const gb = 1024 * mb
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const common = {
  retention: 'limits',
  discard: 'old',
  duplicateWindowMs: 2 * minuteMs,
  maxMessageBytes: mb,
  maxMessagesPerSubject: null,
  maxMessages: null,
  compressed: true,
} as const satisfies Partial<StreamSpec>

export const streamSpecs: readonly StreamSpec[] = [
  {
    ...common,
    name: 'CHAINS',
    description: 'Raw chain snapshots, by partition',
    subjects: ['chains.raw.>'],
    maxBytes: { production: 20 * gb, embedded: 2 * gb },
    maxAgeMs: 72 * hourMs,
    compressed: false,
  },
  {
    ...common,
    name: 'ALERTS',
    description: 'What the detectors found',
    subjects: ['alerts.>'],
    maxBytes: { production: 2 * gb, embedded: 256 * mb },
    maxAgeMs: 30 * dayMs,
    duplicateWindowMs: hourMs,
  },
  {
    ...common,
    name: 'FEATURES',
    description: 'The last features of each underlying',
    subjects: ['features.>'],
    maxBytes: { production: gb, embedded: 128 * mb },
    maxAgeMs: null,
    maxMessagesPerSubject: 1,
  },
  {
    ...common,
    name: 'SCANS',
    description: 'Underlyings to fetch; a full queue holds the scheduler back',
    subjects: ['scans.task.>'],
    retention: 'workqueue',
    discard: 'new',
    maxBytes: { production: 256 * mb, embedded: 64 * mb },
    maxAgeMs: dayMs,
    duplicateWindowMs: hourMs,
    maxMessages: 200_000,
    maxMessageBytes: 64 * kb,
  },
  {
    ...common,
    name: 'SCAN_RESULTS',
    description: 'What became of each underlying of a scan, and each scan as a whole',
    subjects: ['scans.result.>', 'scans.summary.>'],
    maxBytes: { production: gb, embedded: 128 * mb },
    maxAgeMs: 7 * dayMs,
  },
  {
    ...common,
    name: 'QUALITY',
    description: 'Gaps, and what each pass of a collector brought',
    subjects: ['quality.>'],
    maxBytes: { production: 500 * mb, embedded: 64 * mb },
    maxAgeMs: 7 * dayMs,
  },
  {
    ...common,
    name: 'DLQ',
    description: 'Messages that could not be processed, under their first subject',
    subjects: ['dlq.>'],
    maxBytes: { production: 2 * gb, embedded: 128 * mb },
    maxAgeMs: 14 * dayMs,
    duplicateWindowMs: hourMs,
    compressed: false,
  },
]

export const bucketNames = ['coord', 'cursors', 'providers', 'scans', 'config'] as const
export type BucketName = (typeof bucketNames)[number]

export const bucketSpecs: readonly StreamSpec[] = [
  bucket('coord', 'Leases and members: expiry by observed revision, never by age', 1),
  bucket('cursors', 'Per partition: epoch, range in flight, attempts', 5),
  bucket('providers', 'Breakers, token buckets, quotas', 1),
  bucket('scans', 'State of scan jobs', 5, 7 * dayMs),
  bucket('config', 'Partition count and schema versions', 1),
]

/** A bucket as NATS' key-value convention lays it out (nats-architecture-and-design ADR-8). */
function bucket(name: BucketName, description: string, history: number, maxAgeMs: number | null = null): StreamSpec {
  return {
    ...common,
    name: `KV_${name}`,
    description,
    subjects: [`$KV.${name}.>`],
    discard: 'new',
    maxBytes: { production: 64 * mb, embedded: 16 * mb },
    maxAgeMs,
    maxMessagesPerSubject: history,
    maxMessageBytes: 256 * kb,
    compressed: false,
    bucket: true,
  }
}
