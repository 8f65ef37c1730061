import {
  type Batch,
  type Fence,
  type KeyValue,
  type Ports,
  type RowSink,
  WriteFailure,
} from '../../services/processor/delivery/ports.ts'
import { type KeyState, KeyStates, type SnapshotKey } from '../../services/processor/key-states.ts'
import type { SinkModel } from './sink-model.ts'
import type { SimulatedBatch } from './sink-rows.ts'

type SimulatedPorts = Ports<SimulatedBatch>

/** A mistake somebody could make, planted from outside: the checker has to find it, or it would not find a real one. */
export interface Bug {
  readonly name: string
  readonly plant?: (ports: SimulatedPorts, models: { readonly sink: SinkModel }) => SimulatedPorts
  /** Takes more seeds to be found than the suite has for each; its own is kept in seeds.json. */
  readonly isRare?: true
  /** In place of the rounding of what is remembered. */
  readonly round?: (value: number) => number
}

const noFence: Fence = { epochs: new Map(), servers: new Map() }

export const bugs: readonly Bug[] = [
  {
    name: 'no epoch check',
    plant: (ports) => ({
      ...ports,
      sink: wrap(ports.sink, {
        insertRows: (batch, table) => ports.sink.insertRows(batch, table, noFence),
        insertCommits: (batch) => ports.sink.insertCommits(batch, noFence),
      }),
    }),
  },
  {
    name: 'max() as cursor',
    plant: (ports) => ({ ...ports, rules: { ...ports.rules, chainEnd: (segments) => segments.at(-1) ?? null } }),
  },
  { name: 'commit before rows', plant: commitBeforeRows },
  {
    name: 'presence instead of count',
    plant: (ports) => ({
      ...ports,
      rules: {
        ...ports.rules,
        tablesToWrite: (counts, present) =>
          ports.rules.tablesToWrite(counts, undefined).filter((table) => (present?.[table] ?? 0) === 0),
      },
    }),
  },
  {
    name: "commit before the alerts' PubAck",
    plant: (ports) => ({
      ...ports,
      handler: {
        ...ports.handler,
        open(delivery) {
          const opened = ports.handler.open(delivery)
          if (!('meta' in opened)) return opened
          const publish: typeof opened.publish = (computed, standing) => {
            for (const sent of opened.publish(computed, standing)) sent.catch(() => {})
            return []
          }
          return { ...opened, publish }
        },
      },
    }),
  },
  {
    name: 'dead-lettered counted as stored',
    plant: (ports, { sink }) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        async isStored(snapshotId, before) {
          const isDead = [...sink.commits.values()]
            .flat()
            .some(({ messageId, outcome }) => outcome === 'dead-lettered' && messageId === snapshotId)
          return (await ports.ledger.isStored(snapshotId, before)) || isDead
        },
      },
    }),
  },
  {
    name: 'no check of the message id at the cursor',
    plant: (ports) => ({ ...ports, rules: { ...ports.rules, isSameMessage: () => true } }),
  },
  { name: 'lease check after the insert', plant: checkAfterInsert },
  { name: 'state from unrounded values', round: (value) => value },
  {
    name: 'attempts not durable',
    plant: (ports) => ({ ...ports, cursors: forgetful(ports.cursors) }),
  },
  {
    name: 'differences across providers',
    plant: (ports) => ({ ...ports, createStates: (isFirst) => new ProviderBlindStates(isFirst) }),
  },
  {
    name: 'no look whether the store has started again',
    isRare: true,
    plant: (ports) => ({ ...ports, rules: { ...ports.rules, hasStartedAgain: () => false } }),
  },
  {
    name: 'nobody is told when late leases are renewed',
    isRare: true,
    plant: (ports) => ({ ...ports, rules: { ...ports.rules, endsWaiting: () => false } }),
  },
  {
    name: 'an answer hides a later owner',
    isRare: true,
    plant: (ports) => ({ ...ports, rules: { ...ports.rules, isOverwritten: () => false } }),
  },
  {
    name: 'commit rows of an earlier reading count',
    isRare: true,
    plant: (ports) => ({
      ...ports,
      ledger: {
        ...ports.ledger,
        isStored: (snapshotId, before) => ports.ledger.isStored(snapshotId, { ...before, epoch: 0 }),
      },
    }),
  },
  {
    name: 'duplicate ids in the open flush',
    plant: (ports) => ({ ...ports, rules: { ...ports.rules, isDuplicate: ({ isStored }) => isStored } }),
  },
]

const wrap = <B extends Batch>(sink: RowSink<B>, changes: Partial<RowSink<B>>): RowSink<B> => ({ ...sink, ...changes })

function commitBeforeRows(ports: SimulatedPorts): SimulatedPorts {
  const { sink } = ports
  const committed = new WeakMap<SimulatedBatch, Promise<void>>()
  const first = (batch: SimulatedBatch, fence: Fence): Promise<void> => {
    const known = committed.get(batch)
    if (known !== undefined) return known
    const begun = sink.insertCommits(batch, fence)
    committed.set(batch, begun)
    return begun
  }
  return {
    ...ports,
    sink: wrap(sink, {
      async insertRows(batch, table, fence) {
        await first(batch, fence)
        await sink.insertRows(batch, table, fence)
      },
      async insertCommits(batch, fence) {
        await first(batch, fence)
        committed.delete(batch)
      },
    }),
  }
}

function checkAfterInsert(ports: SimulatedPorts): SimulatedPorts {
  const { sink, ledger } = ports
  const check = async ({ epochs }: Fence): Promise<void> => {
    const highest = await ledger.highestEpochs([...epochs.keys()])
    if ([...epochs].some(([partition, epoch]) => (highest.get(partition) ?? 0) > epoch))
      throw new WriteFailure('fenced', new Error('a partition has a later owner'))
  }
  return {
    ...ports,
    sink: wrap(sink, {
      async insertRows(batch, table, fence) {
        await sink.insertRows(batch, table, noFence)
        await check(fence)
      },
      async insertCommits(batch, fence) {
        await sink.insertCommits(batch, noFence)
        await check(fence)
      },
    }),
  }
}

const forget = (value: unknown): unknown => ({ ...(value as object), at: null, deaths: {} })

/** Writes everything but who died over what. */
function forgetful(cursors: KeyValue): KeyValue {
  return {
    ...cursors,
    create: (key, value) => cursors.create(key, forget(value)),
    update: (key, value, revision) => cursors.update(key, forget(value), revision),
  }
}

class ProviderBlindStates extends KeyStates {
  override get(key: Pick<SnapshotKey, 'underlying' | 'provider'>): KeyState | undefined {
    return super.get({ ...key, provider: '' })
  }

  override set(key: Pick<SnapshotKey, 'underlying' | 'provider'>, state: KeyState): void {
    super.set({ ...key, provider: '' }, state)
  }
}
