import { afterEach } from 'vitest'

/** How large the suites are: what every run has, or what a night has room for (`STRIKEFLOW_TORTURE=nightly`). */
export const isNightly = process.env['STRIKEFLOW_TORTURE'] === 'nightly'

export const sized = <T>(small: T, nightly: T): T => (isNightly ? nightly : small)

/** Of this run; `STRIKEFLOW_SEED` repeats an earlier one. */
export const seed = Number(process.env['STRIKEFLOW_SEED'] ?? Date.now() % 1_000_000)

/** Printed by each suite: what it did, and how to do it again. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Prints after each test that failed, by a finding or by an error on the way, how to do it again. */
export const printAgainWhenFailed = (command: string): void =>
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') print(`seed ${seed}, again: ${command}`)
  })

export const suiteAgain = (file: string): string =>
  `STRIKEFLOW_SEED=${seed} ${isNightly ? 'STRIKEFLOW_TORTURE=nightly ' : ''}npx vitest run --project torture tests/torture/${file}`
