/** A fault in the product, or in the tester's own publisher, that the checker has to find. */
export interface Bug {
  readonly name: string
  /** From the root of the project. */
  readonly file: string
  /** A round in which it does harm; none where only a torture of the whole stack brings it out. */
  readonly shownBy: { readonly crashAt: string } | { readonly pauseAt: string } | null
  /** Of the checker: the rule that it has to be found by. Another one, liveness on a busy machine say, has not found it. */
  readonly breaks: string
  /** Text of the file and what stands there instead. */
  readonly changes: readonly (readonly [from: string, to: string])[]
}

const commits = 'await insert(() => sink.insertCommits(batch, fence))'
const rows = 'for (const table of batch.filled())'

export const bugs: readonly Bug[] = [
  {
    name: 'no epoch check',
    shownBy: { pauseAt: 'lease-checked:9' },
    breaks: 'doubled',
    file: 'services/processor/row-sink.ts',
    changes: [['insertStatement(buffer.shape, fenceCondition(fence))', `insertStatement(buffer.shape, '1 = 1')`]],
  },
  {
    name: 'commit before rows',
    shownBy: { crashAt: 'lease-checked:10' },
    // The audit of the next start finds commit rows without rows, and has them read again.
    breaks: 'doubled',
    file: 'services/processor/delivery/write-batch.ts',
    changes: [
      [commits, ''],
      [rows, `${commits}\n    ${rows}`],
    ],
  },
  {
    name: 'no read-back',
    shownBy: { crashAt: 'rows-stored:3' },
    breaks: 'doubled',
    file: 'services/processor/delivery/rules.ts',
    changes: [['present?.[table] !== counts[table]', 'true']],
  },
  {
    name: 'commit before the acknowledgement of alerts',
    shownBy: null,
    breaks: 'alert',
    file: 'services/processor/delivery/write-batch.ts',
    changes: [['await Promise.all(publishes)', '']],
  },
  {
    name: 'sent counted as acknowledged',
    shownBy: null,
    breaks: 'lost',
    file: 'tests/torture/publisher-process.ts',
    changes: [['await publisher.publish(', 'void publisher.publish(']],
  },
]

/** What a process needs in its environment to have it. */
export const planted = (bug: string): Readonly<Record<string, string>> => ({
  TORTURE_BUG: bug,
  NODE_OPTIONS: `--import=${new URL('./plant.ts', import.meta.url).href}`,
})
