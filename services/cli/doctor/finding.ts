export type FindingStatus = 'ok' | 'warn' | 'fail' | 'left out'

export interface Finding {
  readonly check: string
  readonly status: FindingStatus
  /** What was found. */
  readonly found: string
  /** What to do about it; absent where there is nothing to do. */
  readonly advice?: string
}

export const ok = (check: string, found: string): Finding => ({ check, status: 'ok', found })
export const warn = (check: string, found: string, advice: string): Finding => ({
  check,
  status: 'warn',
  found,
  advice,
})
export const fail = (check: string, found: string, advice: string): Finding => ({
  check,
  status: 'fail',
  found,
  advice,
})
export const leftOut = (check: string, why: string): Finding => ({ check, status: 'left out', found: why })

/** Lines for a person, those that ask for something with what to do below. */
export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, status, found, advice }) => [
    `${status.padEnd(8)}  ${check.padEnd(width)}  ${found}`,
    ...(advice === undefined ? [] : [`${''.padEnd(8)}  ${''.padEnd(width)}  -> ${advice}`]),
  ])
  const count = (wanted: FindingStatus): number => findings.filter(({ status }) => status === wanted).length
  return [
    ...lines,
    '',
    `${count('ok')} ok, ${count('warn')} warnings, ${count('fail')} failures, ${count('left out')} left out`,
  ].join('\n')
}
