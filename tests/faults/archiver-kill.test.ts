import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../services/collector/providers/simulator/random.ts'
import { readManifest } from '../../shared/archive/manifest.ts'
import { readArchive } from '../../shared/archive/reader.ts'
import { verifyArchive } from '../../shared/archive/verify.ts'
import type { Bus } from '../../shared/bus/connect.ts'
import { openOrderedSource } from '../../shared/bus/ordered-source.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { startTestNats, type TestNats } from '../support/nats.ts'
import { waitFor } from '../support/wait-for.ts'

const kills = Number(process.env['STRIKEFLOW_KILLS'] ?? 25)
const seed = Number(process.env['STRIKEFLOW_SEED'] ?? Date.now() % 1_000_000)
const script = new URL('../../services/archiver/main.ts', import.meta.url).pathname

let nats: TestNats
let bus: Bus
let directory: string
beforeAll(async () => {
  nats = await startTestNats()
  bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-archiver-kill-'))
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

/** Starts the archiver as a process and waits until it reads. */
async function start(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      PATH: process.env['PATH'],
      NATS_URL: nats.url,
      ARCHIVER_DIRECTORY: directory,
      ARCHIVER_FILE_MEBIBYTES: '1',
      ARCHIVER_FILE_SECONDS: '1',
      ARCHIVER_PAUSE_IN_WRITE_MS: '15',
      ARCHIVER_MIN_FREE_MEBIBYTES: '0',
    },
  })
  await once(createInterface({ input: child.stdout }), 'line')
  return child
}

/** About 6 MB and 300 messages a second until told to stop. */
async function publishUntil(signal: AbortSignal, random: Random): Promise<void> {
  const publisher = createPublisher(bus, { publisherId: 'test/1' })
  for (let n = 0; !signal.aborted; n++) {
    const payload = Uint8Array.from({ length: Math.floor(random.uniform() * 40_000) }, () => random.uniform() * 256)
    await publisher.publish(`chains.raw.${n % 16}.test.U${n % 50}`, payload, { messageId: `m-${n}` })
    await delay(2)
  }
}

describe('the archiver', () => {
  it(`has every message once, to the byte, after ${kills} kills at any moment (STRIKEFLOW_SEED=${seed})`, async () => {
    const random = createRandom(seed)
    const stop = new AbortController()
    const publishing = publishUntil(stop.signal, createRandom(seed + 1))
    let leftovers = 0
    for (let kill = 0; kill < kills; kill++) {
      const child = await start()
      await delay(random.uniform() * 600)
      child.kill('SIGKILL')
      await once(child, 'exit')
      leftovers += (await readdir(directory, { recursive: true })).filter((name) => name.endsWith('.tmp')).length
    }
    stop.abort()
    await publishing
    const last = await start()
    const { lastSeq } = await streamInfo(bus, 'CHAINS')
    await waitFor('the rest', async () => (await readManifest(directory)).entries.at(-1)?.toSeq === lastSeq)
    last.kill('SIGTERM')
    await once(last, 'exit')

    expect(leftovers).toBeGreaterThan(0)
    expect(await verifyArchive(directory)).toMatchObject({
      messages: lastSeq,
      runs: 1,
      damaged: [],
      breaks: [],
      unlisted: [],
    })
    await expectSameAsStream(lastSeq)
  })
})

async function expectSameAsStream(lastSeq: number): Promise<void> {
  await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject: 'chains.raw.>', fromSeq: 1 })
  const stream = source[Symbol.asyncIterator]()
  let compared = 0
  for await (const { streamSeq, subject, headers, payload } of readArchive({ directory })) {
    const { value } = await stream.next()
    const wanted =
      value === undefined ? null : { streamSeq: value.streamSeq, subject: value.subject, headers: value.headers }
    expect({ streamSeq, subject, headers }).toEqual(wanted)
    expect(Buffer.compare(payload, value?.payload ?? new Uint8Array())).toBe(0)
    compared += 1
  }
  expect(compared).toBe(lastSeq)
}
