import { z } from 'zod'
import { StrikeflowError } from '../model/errors.ts'

export type Env = Readonly<Record<string, string | undefined>>

/** `retryBaseMs` under prefix `COLLECTOR` is the variable `COLLECTOR_RETRY_BASE_MS`. */
export const variableName = (prefix: string, key: string): string =>
  `${prefix}_${key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`

/**
 * Reads the settings of one prefix from the environment.
 *
 * Keys of the schema are camelCase with their unit in the name. A variable with the prefix that the schema does not know is
 * refused, because a typo would otherwise run with a default in silence.
 */
export function readSettings<S extends z.ZodObject>(prefix: string, schema: S, env: Env): z.output<S> {
  const known = new Map(Object.keys(schema.shape).map((key) => [variableName(prefix, key), key]))
  const given: Record<string, string> = {}
  const problems: string[] = []
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(`${prefix}_`) || value === undefined) continue
    const key = known.get(name)
    if (key === undefined) problems.push(`${name} is not a setting; known: ${[...known.keys()].join(', ')}`)
    else if (value !== '') given[key] = value
  }
  const parsed = schema.safeParse(given)
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      problems.push(`${variableName(prefix, String(issue.path[0]))}: ${issue.message}`)
  }
  if (problems.length > 0 || !parsed.success) throw new StrikeflowError('config', problems.join('\n'))
  return parsed.data
}

/** A whole number from text, within bounds. */
export const integer = (min: number, max: number): z.ZodPipe<z.ZodCoercedNumber, z.ZodNumber> => {
  const error = `expected a whole number from ${min} to ${max}`
  return z.coerce.number(error).pipe(z.number().int(error).min(min, error).max(max, error)) as never
}

/** `true`/`false`/`1`/`0` from text. */
export const flag = (): z.ZodType<boolean> => z.stringbool()

/** A comma-separated list from text; blanks trimmed, empty entries dropped. */
export const list = (): z.ZodType<string[]> =>
  z.string().transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
