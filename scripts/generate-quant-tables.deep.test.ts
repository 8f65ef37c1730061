import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { formatted, generators } from './generate-quant-tables.ts'

it.each(generators)(
  'makes the committed table: %o',
  async (make) => {
    const file = make()
    expect(readFileSync(new URL(`../${file.path}`, import.meta.url), 'utf8')).toBe(await formatted(file))
  },
  300_000,
)
