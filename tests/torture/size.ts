/** How large the suites are: what every run has, or what a night has room for (`STRIKEFLOW_TORTURE=nightly`). */
export const isNightly = process.env['STRIKEFLOW_TORTURE'] === 'nightly'

export const sized = <T>(small: T, nightly: T): T => (isNightly ? nightly : small)

/** Of this run; `STRIKEFLOW_SEED` repeats an earlier one. */
export const seed = Number(process.env['STRIKEFLOW_SEED'] ?? Date.now() % 1_000_000)

/** Printed by each suite: what it did, and how to do it again. */
export const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** Printed where a suite has found something. */
export const printAgain = (file: string): void =>
  print(
    `again: STRIKEFLOW_SEED=${seed} ${isNightly ? 'STRIKEFLOW_TORTURE=nightly ' : ''}npx vitest run --project torture tests/torture/${file}`,
  )
