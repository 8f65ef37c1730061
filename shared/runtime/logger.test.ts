import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { mountTmpfs } from '../../tests/support/mount.ts'
import { createLogger } from './logger.ts'

const module = new URL('logger.ts', import.meta.url).href

describe('a log on a full disk', () => {
  it('ends nothing, and takes the waiting lines once there is room', (context) => {
    const directory = mkdtempSync(join(tmpdir(), 'strikeflow-log-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const unmount = mountTmpfs(directory, 'size=64k')
    if (unmount === null) return context.skip('a file system cannot be mounted here')
    onTestFinished(unmount)
    const file = join(directory, 'x.log')
    const log = createLogger({ service: 'x', file })
    log.info('before')
    const ballast = join(directory, 'ballast')
    for (const bytes of [4096, 1]) fill(ballast, bytes)
    for (let n = 0; n < 200; n += 1) log.info({ n, text: 'x'.repeat(100) }, 'while it is full')
    rmSync(ballast)
    for (let n = 0; n < 3; n += 1) log.info('after')
    const lines = readFileSync(file, 'utf8')
    expect(lines).toContain('before')
    expect(lines).toContain('after')
    expect(
      lines
        .split('\n')
        .filter(Boolean)
        .every((line) => line.startsWith('{') && line.endsWith('}')),
    ).toBe(true)
  })

  it.runIf(process.platform === 'linux')('on stderr ends nothing either', () => {
    const code = `
      import { createLogger } from '${module}'
      const log = createLogger({ service: 'x' })
      for (let n = 0; n < 100; n += 1) log.info('into a full device')
      console.log('still there')`
    const said = execFileSync('sh', ['-c', '"$0" --input-type=module -e "$1" 2> /dev/full', process.execPath, code])
    expect(said.toString()).toBe('still there\n')
  })
})

/** Appends until the disk takes no more. */
function fill(file: string, bytes: number): void {
  try {
    for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' })
  } catch {}
}

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
