import { Counter, Gauge, Histogram, type Registry } from '../../shared/runtime/metrics.ts'

/** Every metric of this service. */
export function createMetrics(registry: Registry) {
  const registers = [registry]
  const gauge = (what: string, help: string) => new Gauge({ name: `strikeflow_archiver_${what}`, help, registers })
  const counter = (what: string, help: string) =>
    new Counter({ name: `strikeflow_archiver_${what}_total`, help, registers })
  return {
    files: counter('files', 'Files written'),
    messages: counter('messages', 'Messages in files written'),
    contracts: counter('contracts', 'Contracts of these messages'),
    bytes: counter('bytes', 'Bytes of files written'),
    writeSeconds: new Histogram({
      name: 'strikeflow_archiver_write_seconds',
      help: 'Encoding, writing and syncing one file with its entry',
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    writeErrors: counter('write_errors', 'Writes that failed and are tried again'),
    setAside: counter('set_aside', 'Messages that no archive file can hold, kept in files of their own'),
    prunedFiles: counter('pruned_files', 'Files removed by the retention'),
    archivedSeq: gauge('archived_seq', 'Last sequence of CHAINS that is in the archive'),
    newestFileTimestamp: gauge('newest_file_timestamp_seconds', 'When the newest file was complete'),
    lagMessages: gauge('lag_messages', 'Messages of CHAINS behind the archive'),
    lagBytesRatio: gauge('lag_bytes_ratio', 'What is not archived yet, as a share of the bytes CHAINS keeps'),
    lagAgeRatio: gauge(
      'lag_age_ratio',
      'Age of the oldest message not archived yet, as a share of the age CHAINS keeps',
    ),
    lostMessages: counter('lost_messages', 'Messages that CHAINS discarded before they were archived'),
  }
}
export type ArchiverMetrics = ReturnType<typeof createMetrics>
