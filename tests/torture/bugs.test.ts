import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { bugs } from './bugs.ts'

/** A bug whose place in the source is gone can no longer be planted, and the test that plants it would show nothing. */
it.each(bugs)('has a place for the planted bug: $name', async ({ file, changes }) => {
  const source = await readFile(new URL(`../../${file}`, import.meta.url), 'utf8')
  for (const [from] of changes) expect(source.split(from)).toHaveLength(2)
})
