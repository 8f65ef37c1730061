import { StrikeflowError } from '../../../shared/model/errors.ts'
import { pause } from '../../../shared/runtime/clock.ts'
import { auditWindowMs } from './audit-window.ts'
import { InFlight, type InFlightDeps } from './in-flight.ts'
import type { Membership } from './membership.ts'
import type { Taken } from './partition.ts'
import { findPlaces, type Placed } from './place.ts'
import type { Batch, DamagedCommit, Epochs, Ports } from './ports.ts'

export interface TakeDeps<B extends Batch> {
  readonly ports: Ports<B>
  readonly membership: Membership
  readonly inFlight: InFlightDeps
  readonly insertLimitMs: number
}

/** The sink ends an insert by itself at its limit; this much longer, and something else is wrong. */
const graceMs = 2_000

/**
 * Takes partitions and finds out where the owner before stopped. The order matters: the lease says who tries, the epoch in the sink
 * refuses every insert that begins later under a lower one, those begun before are waited for, and only then is read what is there.
 */
export async function takeOver<B extends Batch>(
  partitions: readonly number[],
  deps: TakeDeps<B>,
): Promise<readonly Taken[]> {
  const { ports } = deps
  const { epochs, hadOwner } = await takeEpochs(partitions, deps)
  const owned = [...epochs.keys()]
  if (owned.length === 0) return []
  await begunInsertsOver(deps)
  const [places, damaged, withCommits, { lastSeq }] = await Promise.all([
    findPlaces(owned, ports),
    ports.ledger.damagedCommits(owned, auditWindowMs),
    ports.ledger.hasCommits(owned),
    ports.stream.facts(),
  ])
  const rewound = places.map((place) => rewind(place, damaged, ports))
  const found = await ports.ledger.states(rewound)
  return Promise.all(
    rewound.map(async (place) => {
      const { partition, cursorMessageId } = place
      const states = ports.createStates(!withCommits.has(partition))
      for (const { state, ...key } of found) if (key.partition === partition) states.set(key, state)
      const epoch = epochs.get(partition) ?? 0
      const taken = { ...place, epoch, lastSeq, hadOwner: hadOwner.has(partition) }
      const inFlight = await InFlight.open(taken, deps.inFlight)
      return { place, epoch, cursorMessageId, states, inFlight }
    }),
  )
}

interface TakenEpochs {
  readonly epochs: Epochs
  readonly hadOwner: ReadonlySet<number>
}

/** Takes the leases, each under an epoch above all before it, in the bucket and in the sink. */
async function takeEpochs<B extends Batch>(
  partitions: readonly number[],
  { ports, membership }: TakeDeps<B>,
): Promise<TakenEpochs> {
  const inSink = await ports.ledger.highestEpochs(partitions)
  const epochs = new Map<number, number>()
  await Promise.all(
    partitions.map(async (partition) => {
      const epoch = 1 + Math.max(membership.epochOf(partition), inSink.get(partition) ?? 0)
      if (await membership.takeLease(partition, epoch)) epochs.set(partition, epoch)
    }),
  )
  await ports.point('lease-taken')
  if (epochs.size > 0) {
    await ports.ledger.insertEpochs(epochs)
    await ports.point('epoch-inserted')
    // Only where the bucket was lost can two have come to the same epoch; then neither has it.
    for (const partition of await ports.ledger.rivals(epochs)) epochs.delete(partition)
  }
  return { epochs, hadOwner: new Set(inSink.keys()) }
}

/** Resolves when the sink works on none of the inserts any more that it had begun before the new epochs were there. */
async function begunInsertsOver<B extends Batch>({ ports, insertLimitMs }: TakeDeps<B>): Promise<void> {
  const { ledger, timers } = ports
  const untilMs = timers.nowMs() + insertLimitMs + graceMs
  const begun = await ledger.begunInserts()
  let open = begun
  while (open.size > 0) {
    if (timers.nowMs() > untilMs) {
      throw new StrikeflowError('store', 'Inserts of an earlier owner do not end', { retryable: true })
    }
    await pause(timers, 20)
    const now = await ledger.begunInserts()
    open = new Set([...begun].filter((id) => now.has(id)))
  }
}

/** Goes back behind the first commit row whose rows are not there: everything after it is doubtful, as after a crash. */
function rewind<B extends Batch>(
  place: Placed,
  damaged: readonly DamagedCommit[],
  { observer, log }: Ports<B>,
): Placed {
  const { partition, incarnation, cursor, committedTo, wentBack } = place
  if (wentBack) {
    observer.rewound(partition, 'went back')
    log.error(
      { partition, incarnation, streamSeq: cursor },
      'the stream has gone back, reading on after what is still the same',
    )
  }
  const own = damaged.filter((commit) => commit.partition === partition && commit.incarnation === incarnation)
  const first = own.filter(({ streamSeq }) => streamSeq <= cursor).toSorted((a, b) => a.streamSeq - b.streamSeq)[0]
  if (first === undefined) return place
  observer.rewound(partition, 'damaged')
  log.error(
    { partition, streamSeq: first.streamSeq, commits: own.length },
    'commit rows without their rows, reading them again',
  )
  return { ...place, cursor: first.previousSeq, cursorMessageId: null, committedTo: Math.max(committedTo, cursor) }
}
