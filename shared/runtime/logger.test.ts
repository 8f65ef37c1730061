import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createLogger } from './logger.ts'

it('a log line holds nothing that a terminal obeys, and means the same', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'strikeflow-log-'))
  try {
    const file = join(folder, 'log')
    const reason = 'Expected a ticker, was \u001b[2J\u009b31m\u202e\u2028'
    createLogger({ service: 'test', file }).warn({ reason }, 'message dead-lettered')
    const line = await readFile(file, 'utf8')
    expect(line).toMatch(/^[ -~]*\n$/)
    expect(JSON.parse(line)).toMatchObject({ reason, msg: 'message dead-lettered' })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
