import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openArchiveWriter } from '../../../shared/archive/writer.ts'
import type { Bus } from '../../../shared/bus/connect.ts'
import { messageAt } from '../../../shared/bus/messages.ts'
import { ensureStreams, streamInfo } from '../../../shared/bus/streams.ts'
import { testMessage } from '../../../tests/support/archived-messages.ts'
import { silentLog, startTestNats, type TestNats } from '../../../tests/support/nats.ts'
import { strikeflow } from '../../../tests/support/stack.ts'

let nats: TestNats
let bus: Bus
let directory: string
beforeAll(async () => {
  nats = await startTestNats()
  bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
})
afterAll(() => nats[Symbol.asyncDispose]())

/** Two files of one day: SPY at minutes 1 to 3, AAPL at 4 and 5. */
beforeEach(async () => {
  await bus.jsm.streams.purge('CHAINS')
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-archive-'))
  const writer = await openArchiveWriter({ directory, log: silentLog })
  const at = (fromSeq: number) => ({ stream: 'CHAINS', created: 'then', run: 1, fromSeq })
  await writer.write(
    at(1),
    [1, 2, 3].map((seq) => testMessage(seq)),
  )
  await writer.write(
    at(4),
    [4, 5].map((seq) => testMessage(seq, 'AAPL')),
  )
  return () => rm(directory, { recursive: true, force: true })
})

const archive = (...args: readonly string[]) => strikeflow(['archive', ...args, '--directory', directory])
const restore = (...args: readonly string[]) => archive('restore', '--nats', nats.url, ...args)
const stored = async (): Promise<number> => (await streamInfo(bus, 'CHAINS')).messages

async function damageFirstFile(): Promise<string> {
  const names = (await readdir(join(directory, '2026-11-16'))).filter((name) => name.endsWith('.zst')).toSorted()
  const name = names[0] ?? ''
  await truncate(join(directory, '2026-11-16', name), 10)
  return name
}

describe('strikeflow archive list', () => {
  it('shows days with their counts, sizes and times', async () => {
    const { code, stdout } = await archive('list')
    expect(code).toBe(0)
    const [head, day] = stdout.split('\n')
    expect(head).toMatch(/^stored +run +files +messages +missing +contracts +size +names +market time$/)
    expect(day).toMatch(/^2026-11-16 +1 +2 +5 +0 +15 +\S+ KiB +2 +2026-11-16 14:31 to 2026-11-16 14:35$/)
    expect((await archive('list', '--files')).stdout.trim().split('\n')).toHaveLength(3)
    expect(JSON.parse((await archive('list', '--json')).stdout)).toMatchObject({ groups: [{ files: 2, messages: 5 }] })
  })

  it('says when there is nothing', async () => {
    const { code, stdout } = await strikeflow(['archive', 'list', '--directory', join(directory, 'none')])
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('nothing is archived') as string,
    })
  })
})

describe('strikeflow archive verify', () => {
  it('ends with 0 for a whole archive and with 1, naming the file, for a damaged one', async () => {
    expect(await archive('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/2 files, 5 messages, 15 contracts.*all files are whole/) as string,
    })
    const name = await damageFirstFile()
    const { code, stdout } = await archive('verify')
    expect(code).toBe(1)
    expect(stdout).toContain(`${name}: has 10 bytes, the manifest says`)
  })

  it('does not call an archive whole where there is none', async () => {
    const { code, stderr } = await strikeflow(['archive', 'verify', '--directory', join(directory, 'none')])
    expect(code).toBe(2)
    expect(stderr).toContain('nothing was verified')
  })
})

describe('strikeflow archive restore', () => {
  it('publishes a range of market time, of some underlyings, with their message ids', async () => {
    const { lastSeq } = await streamInfo(bus, 'CHAINS')
    const { code, stdout } = await restore(
      '--from',
      '2026-11-16T14:32:00Z',
      '--to',
      '2026-11-16T14:35:00Z',
      '--underlyings',
      'SPY',
    )
    expect({ code, stdout }).toEqual({ code: 0, stdout: '2 messages published\n' })
    expect(await messageAt(bus, 'CHAINS', lastSeq + 1)).toMatchObject({
      messageId: 'id-2',
      subject: testMessage(2).subject,
    })
  })

  it('refuses a stream with messages unless told so, and counts what is there already', async () => {
    await bus.jsm.streams.delete('CHAINS')
    await ensureStreams(bus, 'embedded')
    expect((await restore()).code).toBe(0)
    const refused = await restore()
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('CHAINS holds 5 messages')
    expect((await restore('--append')).stdout).toContain('5 messages published, 5 of them there already')
    expect(await stored()).toBe(5)
  })

  it('stops at a damaged file, or leaves it out and ends with 1', async () => {
    await bus.jsm.streams.delete('CHAINS')
    await ensureStreams(bus, 'embedded')
    const name = await damageFirstFile()
    const stopped = await restore()
    expect(stopped.code).toBe(1)
    expect(stopped.stderr).toContain(name)
    expect(await stored()).toBe(0)
    const { code, stdout, stderr } = await restore('--skip-damaged')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '2 messages published\n' })
    expect(stderr).toContain(`left out: 2026-11-16/${name}`)
  })

  it('refuses a time without a zone, and says when nothing is there', async () => {
    expect((await restore('--from', '2026-11-16T14:32')).code).toBe(2)
    const { code, stderr } = await restore('--from', '2030-01-01')
    expect(code).toBe(1)
    expect(stderr).toContain('Nothing of this range is archived')
  })
})
