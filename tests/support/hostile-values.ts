import { headerNames } from '../../shared/bus/messages.ts'
import type { Random } from '../simulation/random.ts'

export const extremes32 = [0x7fffffff, -0x80000000, -1, 0, 1, 0x10000000, 0xffff, 0x8000, 256]
export const extremes64 = [2n ** 63n - 1n, -(2n ** 63n), -1n, 2n ** 53n, 2n ** 32n, 2n ** 31n, 0n, 1n, 7n]
export const extremeFloats = [NaN, Infinity, -Infinity, -1, -0, 1e300, -1e300, 5e-324, 2 ** 53, 1e15, 0.1 + 0.2]

export const hostileTexts = ['', ' ', 'X'.repeat(33), 'X'.repeat(250), 'X'.repeat(100_000), '../../etc/passwd', "'; DROP TABLE x --", '\u0000', '\u001b[2J', '\ud800', '\u202eYPS', '%00', '*', '>', 'a.b', '__proto__', 'ﬀ', 'NaN'] // prettier-ignore
export const hostileNumbers = [-1, 0, 1.5, 1e15, 1e300, -1e300, 4_102_444_800_001, 2 ** 31, 2 ** 32, 2 ** 53]

export function anyValue(random: Random): unknown {
  const values: (() => unknown)[] = [
    () => random.pick(hostileTexts),
    () => random.pick(hostileNumbers),
    () => null,
    () => [],
    () => ({}),
    () => true,
    () => Array.from({ length: random.integer(1, 5_000) }, () => 0),
    () => ({ atMs: random.pick(hostileNumbers), intervalMs: random.pick(hostileNumbers), unchangedBefore: 1e15 }),
  ]
  return random.pick(values)?.()
}

export function hostileHeaders(random: Random): Record<string, string> {
  const values = ['1e300', '-1', 'NaN', '9'.repeat(300), 'x'.repeat(6_000), '', 'a/b/999999999999999999', '\u00e9']
  const names = Object.values(headerNames).filter((name) => name !== headerNames.messageId)
  return Object.fromEntries(
    Array.from({ length: random.integer(1, 4) }, () => [random.pick(names) ?? 'X', random.pick(values) ?? '']),
  )
}

export function hostileSubject(random: Random): string {
  const token = random.pick(['%ZZ', '%', '%00', 'x'.repeat(1_000), '%F0%9F', 'SPX', '__proto__', '1e9', '-1']) ?? 'SPX'
  const partition = random.integer(0, 15)
  return random.pick([
    `chains.raw.${partition}.test.${token}`,
    `chains.raw.${partition}.${token}.SPX`,
    `chains.raw.${partition}.test`,
    `chains.raw.${partition}.test.SPX.more`,
    `chains.raw.${token}.test.SPX`,
    `chains.raw.99.test.SPX`,
  ]) as string
}
