import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { erfcxFile, formatted, polynomialFile, seedFile } from './generate-quant-tables.ts'

it.each([erfcxFile, seedFile, polynomialFile])(
  'makes the committed table: %o',
  async (make) => {
    const file = make()
    expect(readFileSync(new URL(`../${file.path}`, import.meta.url), 'utf8')).toBe(await formatted(file))
  },
  60_000,
)
