import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fingerprintPath, fingerprints } from './quant-tables/fingerprints.ts'

/** Making the tables takes half a minute on a busy machine, so `npm run test:deep` does that and this test compares hashes. */
it('the committed tables are those that the committed generator made', () => {
  const recorded = JSON.parse(readFileSync(new URL(`../${fingerprintPath}`, import.meta.url), 'utf8')) as unknown
  expect(fingerprints(), 'run `npm exec -c "node scripts/generate-quant-tables.ts"` and commit what it writes').toEqual(
    recorded,
  )
})
