import { afterEach } from 'vitest'

/** True in `npm run test:nightly`, where the suites have the sizes of a night; `npm run test:faults` has the small ones. */
export const isNightly = process.env['STRIKEFLOW_TORTURE'] === 'nightly'

export const sized = <T>(small: T, nightly: T): T => (isNightly ? nightly : small)

/**
 * Seed of this run. The small sizes always draw the same faults, so that a change and not the draw decides whether they pass; a night
 * draws new ones. `STRIKEFLOW_SEED` repeats an earlier run.
 */
export const seed = Number(process.env['STRIKEFLOW_SEED'] ?? (isNightly ? Date.now() % 1_000_000 : 608_088))

/** Printed by each suite: what it did, and how to do it again. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Prints after each test that failed, by a finding or by an error on the way, how to do it again. */
export const printAgainWhenFailed = (command: string): void =>
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') print(`seed ${seed}, again: ${command}`)
  })

export const suiteAgain = (file: string): string =>
  `STRIKEFLOW_SEED=${seed} ${isNightly ? 'STRIKEFLOW_TORTURE=nightly ' : ''}npx vitest run --project faults tests/faults/${file}`
