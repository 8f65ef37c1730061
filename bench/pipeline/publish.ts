import { createOutput } from '../../services/collector/publish.ts'
import { createPublisher, maxMessageBytes } from '../../shared/bus/publisher.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { defaultPartitions } from '../../shared/bus/subjects.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { type EncodedSnapshot, encodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import type { Stand } from './stand.ts'

export interface Published {
  readonly encodeSeconds: number
  readonly publishSeconds: number
  readonly bytes: number
}

/** Encodes everything, then publishes it as the collector does. Returns when the stream has acknowledged and holds it all. */
export async function publishAll(
  { bus }: Stand,
  snapshots: readonly Snapshot[],
  signal: AbortSignal,
): Promise<Published> {
  const encodeStartMs = performance.now()
  const encoded = new Map<Snapshot, EncodedSnapshot>(snapshots.map((snapshot) => [snapshot, encodeSnapshot(snapshot)]))
  const { messages: before } = await streamInfo(bus, 'CHAINS')
  const publishStartMs = performance.now()
  const output = createOutput({
    sink: createPublisher(bus, { publisherId: 'bench/0', signal }),
    encode: (snapshot) => encoded.get(snapshot) ?? encodeSnapshot(snapshot),
    partitions: defaultPartitions,
    maxMessageBytes,
  })
  const acks: Promise<unknown>[] = []
  let bytes = 0
  for (const snapshot of snapshots) {
    const published = await output.publishSnapshot(snapshot)
    if (published.kind === 'too_large')
      throw new Error(`${snapshot.meta.underlying}: message of ${published.bytes} bytes`)
    bytes += published.bytes
    acks.push(published.acked)
  }
  await Promise.all(acks)
  const endMs = performance.now()
  const { messages } = await streamInfo(bus, 'CHAINS')
  if (messages - before !== snapshots.length)
    throw new Error(`CHAINS holds ${messages - before} of ${snapshots.length} messages`)
  return {
    encodeSeconds: (publishStartMs - encodeStartMs) / 1000,
    publishSeconds: (endMs - publishStartMs) / 1000,
    bytes,
  }
}
