import type { Env } from '../../../shared/runtime/config.ts'
import { fail, type Finding, ok, warn } from './finding.ts'

/** Prefixes that other programs use as well; `npm start` does not pass them on. */
const sharedPrefixes = ['API', 'LOG', 'HEALTH', 'STRIKEFLOW']

/** The names in the example file, which a test keeps equal to what the services know. */
export const namesIn = (example: string): readonly string[] =>
  [...example.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name = '']) => name)

/** Finds variables that look like settings and are none. */
export function checkEnvironment(environment: Env, known: readonly string[]): readonly Finding[] {
  const check = 'settings'
  const names = new Set(known)
  const prefixes = new Set(known.map(prefixOf))
  const given = Object.keys(environment).filter((name) => prefixes.has(prefixOf(name)))
  const unknown = given.filter((name) => !names.has(name))
  if (unknown.length === 0) return [ok(check, `${given.length} set in the environment, all known`)]
  return unknown.map((name) => {
    const advice = `unset it, or correct it${suggestion(name, known)}; .env.example has all names`
    return sharedPrefixes.includes(prefixOf(name))
      ? warn(check, `no service knows ${name}; one started by itself refuses it`, advice)
      : fail(check, `no service knows ${name}, and refuses to start with it`, advice)
  })
}

const prefixOf = (name: string): string => /^(EMBEDDED_CLICKHOUSE|[A-Z0-9]+)_/.exec(name)?.[1] ?? name

function suggestion(name: string, known: readonly string[]): string {
  const nearest = known.toSorted((a, b) => distance(name, a) - distance(name, b))[0]
  return nearest !== undefined && distance(name, nearest) <= 4 ? ` to ${nearest}` : ''
}

/** Levenshtein's: letters to change, add or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + (a[i] === b[j] ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
