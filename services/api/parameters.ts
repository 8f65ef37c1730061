import { z } from 'zod'
import { isTicker, maxTickerLength } from '../../shared/model/ticker.ts'
import { RequestProblem } from './problem.ts'

/** Returns the ticker in upper case. The router has decoded `%2f` and `%00` in it by now, so this is the only guard. */
export function readTicker(text: string | undefined): string {
  // Tested before the case is changed: some letters outside ASCII become ASCII by it.
  if (text === undefined || !isTicker(text))
    throw new RequestProblem(400, `Expected a ticker of 1 to ${maxTickerLength} letters, digits or . ^ & _ -`)
  return text.toUpperCase()
}

export const alertsQuery = z.strictObject({
  min_score: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,9})?$/, 'expected a number from 0 to 100')
    .transform(Number)
    .refine((score) => score <= 100, 'expected a number from 0 to 100')
    .default(0),
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, 'expected a whole number from 1 to 1000')
    .transform(Number)
    .refine((limit) => limit <= 1000, 'expected a whole number from 1 to 1000')
    .default(100),
})

export const noQuery = z.strictObject({})

/** Returns the parameters of an address. Throws a problem for one that is unknown, given twice or malformed. */
export function readQuery<S extends z.ZodObject>(schema: S, url: string): z.output<S> {
  const start = url.indexOf('?')
  const entries = start < 0 ? [] : [...new URLSearchParams(url.slice(start))]
  const given = new Map(entries)
  if (given.size < entries.length) throw new RequestProblem(400, 'Expected each query parameter once')
  const known = Object.keys(schema.shape)
  // Never repeated back: it is whatever somebody typed.
  if ([...given.keys()].some((name) => !known.includes(name)))
    throw new RequestProblem(400, `Unknown query parameter; known: ${known.join(', ') || 'none'}`)
  const parsed = schema.safeParse(Object.fromEntries(given))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new RequestProblem(400, `${String(issue?.path[0])}: ${issue?.message}`)
}
