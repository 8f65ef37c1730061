import type { Bus } from '../../shared/bus/connect.ts'
import { messageAt } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import type { Store } from '../../shared/store/connect.ts'
import { latestIncarnation, messageIdsAt, readCursors } from '../../shared/store/queries/commits.ts'

export interface Incarnation {
  /** Creation time of the stream; with `#n` behind it after the stream has gone back n times without being made anew. */
  readonly name: string
  /** True when this is a new one because sequences now stand for other messages than the commit log says. */
  readonly wentBack: boolean
}

/**
 * Finds out whether the stream still is the one the commit log speaks of. A server that lost its end (a power cut, a restored
 * backup) gives the same sequences to new messages: read on from the old cursor, they would be passed over in silence. Then
 * a new incarnation begins and the stream is read from its beginning; what is stored already becomes `duplicate`.
 */
export async function findIncarnation(bus: Bus, { query }: Store): Promise<Incarnation> {
  const { created, firstSeq, lastSeq } = await streamInfo(bus, 'CHAINS')
  const name = (await latestIncarnation(query, created)) ?? created
  const cursors = await readCursors(query, name)
  const ends = [...cursors.values()].filter((seq) => seq >= firstSeq)
  const committedIds = await messageIdsAt(query, name, ends)
  for (const seq of ends) {
    const stored = seq > lastSeq ? null : await messageAt(bus, 'CHAINS', seq)
    // Discarded in the meantime: nothing can be said of it, and nothing has to be.
    if (stored === null && seq <= lastSeq) continue
    if (stored === null || (stored.messageId ?? '') !== committedIds.get(seq))
      return { name: next(name, created), wentBack: true }
  }
  return { name, wentBack: false }
}

const next = (name: string, created: string): string => `${created}#${Number(name.slice(created.length + 1) || 0) + 1}`
