import { connectBus } from '../../shared/bus/connect.ts'
import { silentLog } from './nats.ts'
import { startTestStack, storeOnly, type TestStack } from './stack.ts'

/** Deletes CHAINS under a stack and starts it again on the same data: what was published is gone, what is stored is not. */
export async function restartedWithoutChains(stack: TestStack): Promise<TestStack> {
  const { dataDirectory } = stack
  await stack.stop()
  const meanwhile = await startTestStack({ dataDirectory, env: storeOnly })
  {
    await using bus = await connectBus({ ...meanwhile.bus, name: 'test', log: silentLog })
    await bus.jsm.streams.delete('CHAINS')
  }
  await meanwhile.stop()
  return startTestStack({ dataDirectory, env: storeOnly })
}

export interface OutcomeCount {
  readonly outcome: string
  readonly n: number
}

/** What became of the messages, one list for each incarnation of CHAINS, in order of time. */
export async function outcomesByIncarnation({ store }: TestStack): Promise<readonly (readonly OutcomeCount[])[]> {
  const rows = await store.query.rows<OutcomeCount & { readonly incarnation: string }>(
    `SELECT incarnation, toString(outcome) AS outcome, count() AS n FROM snapshots_v1 FINAL GROUP BY ALL ORDER BY ALL`,
  )
  const incarnations = [...new Set(rows.map(({ incarnation }) => incarnation))]
  return incarnations.map((name) =>
    rows.filter(({ incarnation }) => incarnation === name).map(({ outcome, n }) => ({ outcome, n })),
  )
}
