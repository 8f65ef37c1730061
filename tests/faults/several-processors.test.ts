import { expect, it } from 'vitest'
import { startTestStack, strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

it('a stack with two processors shares the partitions between them and stores the simulated market', async () => {
  await using stack = await startTestStack({
    env: {
      STANDALONE_STAGES: 'store',
      STANDALONE_PROCESSORS: '2',
      COLLECTOR_SIM_UNDERLYINGS: '8',
      STANDALONE_SPEED: '60',
    },
  })
  const owners = await waitFor('commit rows by both', async () => {
    const rows = await stack.store.query.rows<{ owner: string; n: number }>(
      `SELECT splitByChar('/', e.owner)[1] AS owner, count() AS n FROM snapshots_v1 AS s
         INNER JOIN partition_epochs_v1 AS e ON e.partition = s.partition AND e.epoch = s.epoch
         WHERE s.outcome = 'stored' GROUP BY owner ORDER BY owner`,
    )
    return rows.length === 2 && rows.map(({ owner }) => owner)
  })
  expect(owners).toEqual(['processor-1', 'processor-2'])
})

it('the number of processors is checked before anything starts', async () => {
  expect(await strikeflow(['start', '--processors', '0'])).toMatchObject({ code: 2 })
})
