/** A fault in the product, or in the tester's own publisher, that the checker has to find. */
export interface Bug {
  readonly name: string
  /** From the root of the project. */
  readonly file: string
  /** Text of the file and what stands there instead. */
  readonly changes: readonly (readonly [from: string, to: string])[]
}

const commits = 'await insert(() => sink.insertCommits(batch, fence))'
const rows = 'await allSettled(batch.filled()'

export const bugs: readonly Bug[] = [
  {
    name: 'no epoch check',
    file: 'services/processor/row-sink.ts',
    changes: [['insertStatement(buffer.shape, fenceCondition(fence))', `insertStatement(buffer.shape, '1 = 1')`]],
  },
  {
    name: 'commit before rows',
    file: 'services/processor/delivery/write-batch.ts',
    changes: [
      [commits, ''],
      [rows, `${commits}\n    ${rows}`],
    ],
  },
  {
    name: 'no read-back',
    file: 'services/processor/delivery/rules.ts',
    changes: [['present?.[table] !== counts[table]', 'true']],
  },
  {
    name: 'commit before the acknowledgement of alerts',
    file: 'services/processor/delivery/write-batch.ts',
    changes: [['await Promise.all(publishes)', '']],
  },
  {
    name: 'sent counted as acknowledged',
    file: 'tests/torture/publisher-process.ts',
    changes: [['await publisher.publish(', 'void publisher.publish(']],
  },
]
