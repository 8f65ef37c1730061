import type { OwnEnd } from './part.ts'
import type { TortureResult } from './torture.ts'

export const totalFaults = ({ faults }: Pick<TortureResult, 'faults'>): number =>
  [...faults.values()].reduce((sum, count) => sum + count, 0)

const shownViolations = 20

const shownEnd = ({ text, isExcused }: OwnEnd): string => (isExcused ? `${text} (excused)` : text)

/** The table of a run as a person reads it. */
export function report(result: TortureResult, again: string): string {
  const { table, faults, violations, ownEnds, drainedMs, apiRequests, apiFailures } = result
  const { lost } = table
  const lines: readonly (readonly [string, string | number])[] = [
    ['attempted', table.attempted],
    ['acknowledged', table.acked],
    ['stored', table.stored],
    ['recovered', table.recovered],
    [
      'lost',
      `${lost.prefix + lost.middle + lost.postfix} (prefix ${lost.prefix}, middle ${lost.middle}, postfix ${lost.postfix})`,
    ],
    ['unexpected', table.unexpected],
    ['doubled', table.doubled],
    ['out of order', table.outOfOrder],
    ['torn', table.torn],
    ['chain breaks', table.chainBreaks],
    ['behind the fence', table.behindFence],
    ['rewinds', table.rewinds],
    ['alerts', `${table.alertRows} rows, ${table.alertsPublished} published, ${table.alertsWrong} wrong`],
    ['derived rows', `${table.differing} differences to an undisturbed run`],
    ['duplicates', table.duplicates],
    ['dead letters', `${table.deadLettered}, of these given up after three deaths ${table.givenUp}`],
    ['archive', table.archived === null ? 'none' : `${table.archived} messages, ${table.archiveWrong} wrong`],
    ['API', `${apiRequests} requests, ${apiFailures} failed`],
    ['worked off', `${(drainedMs / 1000).toFixed(1)} s after the last fault`],
  ]
  const ends = [...ownEnds]
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => `${name} ${list.map(shownEnd).join()}`)
  return [
    ...lines.map(([name, value]) => `${name.padEnd(20)} ${value}`),
    '',
    `faults: ${totalFaults(result)} of ${faults.size} kinds`,
    ...[...faults].map(([kind, count]) => `  ${kind.padEnd(26)} ${count}`),
    ...(ends.length > 0 ? ['', `ended by themselves and started again: ${ends.join('; ')}`] : []),
    '',
    ...violations.slice(0, shownViolations).map(({ rule, text }) => `${rule}: ${text}`),
    ...(violations.length > shownViolations ? [`… and ${violations.length - shownViolations} more`] : []),
    violations.length === 0
      ? `verdict: sound (seed ${result.seed})`
      : `verdict: ${violations.length} violations (again: ${again})`,
  ].join('\n')
}
