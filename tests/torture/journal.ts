import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs'

/*
 * What a publisher has tried and what was acknowledged, a line each, written before and after: `a T3 17`, `k T3 17`. One writer, whole
 * lines, so that a kill leaves at most one line half.
 */
export interface Journal extends Disposable {
  attempted(underlying: string, step: number): void
  acked(underlying: string, step: number): void
}

export function openJournal(path: string): Journal {
  const file = openSync(path, 'a')
  return {
    attempted: (underlying, step) => void writeSync(file, `a ${underlying} ${step}\n`),
    acked: (underlying, step) => void writeSync(file, `k ${underlying} ${step}\n`),
    [Symbol.dispose]: () => closeSync(file),
  }
}

export interface Steps {
  /** Steps of each underlying in the order of their first attempt. */
  readonly attempted: ReadonlyMap<string, readonly number[]>
  readonly acked: ReadonlyMap<string, ReadonlySet<number>>
}

export function readJournals(paths: readonly string[]): Steps {
  const attempted = new Map<string, number[]>()
  const acked = new Map<string, Set<number>>()
  for (const path of paths.filter((path) => existsSync(path))) {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const [kind, underlying = '', step = ''] = line.split(' ')
      if (kind === 'a') attempted.set(underlying, withStep(attempted.get(underlying) ?? [], Number(step)))
      if (kind === 'k') acked.set(underlying, (acked.get(underlying) ?? new Set()).add(Number(step)))
    }
  }
  return { attempted, acked }
}

function withStep(steps: number[], step: number): number[] {
  if (steps.at(-1) !== step) steps.push(step)
  return steps
}
