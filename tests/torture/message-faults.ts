import { headerNames } from '../../shared/bus/messages.ts'
import { snapshotSchema } from '../../shared/model/snapshot-codec.ts'
import type { Publisher } from '../../shared/bus/publisher.ts'
import { partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import { readManifest } from '../../shared/archive/manifest.ts'
import { chainMessage } from '../support/delivery-stage.ts'
import type { Fault } from './faults.ts'
import { readJournals } from './journal.ts'
import type { Scene } from './scene.ts'

/** Something under the subject of a chain that is none. */
export const undecodablePublished: Fault = {
  kind: 'undecodable message',
  weight: 1,
  async run(scene, _, strikes) {
    const underlying = scene.random.pick(scene.stack.underlyings) ?? 'T0'
    const messageId = `undecodable-${scene.extra.size + 1}`
    const payload = Uint8Array.from({ length: scene.random.integer(0, 300) }, () => scene.random.integer(0, 255))
    strikes(`${messageId} of ${underlying}`)
    await publishExtra(scene, 'undecodable', underlying, messageId, (publisher) =>
      publisher.publish(rawSubject(partitionOfUnderlying(underlying), 'test', underlying), payload, {
        messageId,
        headers: { [headerNames.schema]: snapshotSchema },
      }),
    )
  },
}

/** A chain that was acknowledged before, under another message id, as a replayed dead letter is. */
export const copyPublished: Fault = {
  kind: 'copy of a message',
  weight: 1,
  async run(scene, _, strikes) {
    const underlying = scene.random.pick(scene.stack.underlyings) ?? 'T0'
    const step = scene.random.pick([...(readJournals(scene.stack.journals).acked.get(underlying) ?? [])])
    if (step === undefined) return
    const { subject, payload, headers, messageId: first } = chainMessage({ underlying, step })
    const messageId = `copy-${scene.extra.size + 1}`
    strikes(`${underlying} ${step}`)
    await publishExtra(scene, 'copy', underlying, messageId, (publisher) =>
      publisher.publish(subject, payload, { messageId, headers: { ...headers, [headerNames.replayOf]: first } }),
    )
  },
}

async function publishExtra(
  { extra, stack }: Scene,
  kind: 'undecodable' | 'copy',
  underlying: string,
  messageId: string,
  publish: (publisher: Publisher) => Promise<unknown>,
): Promise<void> {
  const message = { kind, underlying, isAcked: false }
  extra.set(messageId, message)
  await publish(stack.publisher)
  message.isAcked = true
}

/** All consumers on CHAINS are gone, or one of them. */
export const consumerDeleted: Fault = {
  kind: 'consumer deleted',
  weight: 1,
  async run({ stack: { bus }, random }, _, strikes) {
    const names: string[] = []
    for await (const { name } of bus.jsm.consumers.list('CHAINS')) names.push(name)
    const doomed = random.chance(0.5) ? names : names.slice(0, 1)
    if (doomed.length === 0) return
    strikes(`${doomed.length} of ${names.length}`)
    for (const name of doomed) await bus.jsm.consumers.delete('CHAINS', name).catch(() => false)
  },
}

/** What every reader has behind it is purged: by the commit rows, and by the archive. */
export const consumedPartPurged: Fault = {
  kind: 'consumed part purged',
  weight: 1,
  async run({ stack }, _, strikes) {
    const rows = await stack.store.query.rows<{ seq: number }>(
      'SELECT max(stream_seq) AS seq FROM snapshots_v1 GROUP BY partition',
    )
    const { entries } = await readManifest(stack.archive)
    const archivedTo = entries.at(-1)?.toSeq ?? 0
    const committed = await stack.store.query.rows<{ seq: number }>(
      'SELECT DISTINCT stream_seq AS seq FROM snapshots_v1 WHERE stream_seq <= {to:UInt64} ORDER BY seq',
      { to: archivedTo },
    )
    // Up to the first message without a commit row; sequences follow each other without a hole.
    const purged = (await stack.bus.jsm.streams.info('CHAINS')).state.first_seq - 1
    let to = purged
    const seqs = new Set(committed.map(({ seq }) => seq))
    while (seqs.has(to + 1)) to += 1
    if (rows.length === 0 || to <= purged) return
    strikes(`up to ${to}`)
    await stack.bus.jsm.streams.purge('CHAINS', { seq: to + 1 })
  },
}
