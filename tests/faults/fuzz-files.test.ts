import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { beforeEach, describe, expect, it } from 'vitest'
import { decodeContainer, encodeContainer } from '../../shared/archive/container.ts'
import { readArchive } from '../../shared/archive/reader.ts'
import { openArchiveWriter } from '../../shared/archive/writer.ts'
import { headerNames, messageAt } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { decodeSnapshot } from '../../shared/model/snapshot-codec.ts'
import { offences } from '../support/allowed-snapshot.ts'
import { testMessage } from '../support/archived-messages.ts'
import { hostileFile } from '../support/hostile-files.ts'
import { extremes32, extremes64 } from '../support/hostile-values.ts'
import { silentLog, startTestNats } from '../support/nats.ts'
import { startService } from '../support/service.ts'
import { Random } from '../simulation/random.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strikeflow-files-'))
  return () => rm(folder, { recursive: true, force: true })
})

/** Peak memory of a process that still runs, in MiB. */
async function peakMebibytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

describe('hostile recordings', () => {
  it('are ingested or refused with a reason each, in bounded memory, and what is published is sound', async () => {
    const kinds = new Map<string, number>()
    let count = 0
    for (let number = 0; number < 600; number += 1) {
      const { kind, name, bytes } = hostileFile(3, number)
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), bytes)
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      count += 1
    }
    await using nats = await startTestNats()
    await using collector = startService('collector', {
      NATS_URL: nats.url,
      COLLECTOR_PROVIDER: 'recording',
      COLLECTOR_RECORDING_PATH: folder,
      COLLECTOR_SPEED: '0',
      COLLECTOR_REPORT: 'true',
      LOG_LEVEL: 'warn',
    })
    let peak = 0
    const watching = setInterval(() => {
      void peakMebibytes(collector.process.pid).then((mebibytes) => (peak = Math.max(peak, mebibytes)))
    }, 200)
    const code = await collector.ended
    clearInterval(watching)
    const output = collector.output()
    const total = /^total +([\d,]+) +([\d,]+) .*$/m.exec(output)
    process.stdout.write(`  ${count} files; ${total?.[0] ?? 'no total'}; peak ${Math.round(peak)} MiB\n`)
    expect(code).toBe(0)
    expect(output).not.toMatch(/[^\P{C}\n]/u)
    // The widest thing it may hold is a file of lines; this machine's own base is about 150 MiB.
    expect(peak).toBeLessThan(2_000)
    const bus = await nats.connect()
    const { lastSeq } = await streamInfo(bus, 'CHAINS')
    expect(lastSeq).toBeGreaterThan(20)
    for (let seq = 1; seq <= lastSeq; seq += 1) {
      const message = await messageAt(bus, 'CHAINS', seq)
      const encoding = message?.headers.get(headerNames.contentEncoding) ?? null
      const snapshot = decodeSnapshot(message?.payload ?? new Uint8Array(), encoding, '1')
      expect(offences(snapshot)).toEqual([])
      expect(snapshot.columns.length).toBeGreaterThan(0)
    }
  })
})

describe('hostile archive files', () => {
  const head = { stream: 'CHAINS', created: '2026-11-16T00:00:00Z', run: 1, fromSeq: 1, toSeq: 20 }

  it('are refused, or hold messages of a sound shape, whatever is changed inside them', async () => {
    const messages = Array.from({ length: 20 }, (_, i) => ({ ...testMessage(i + 1), run: 1, marketTimeMs: i * 1_000 }))
    const plain = new Uint8Array(zstdDecompressSync(await encodeContainer(head, messages)))
    let [refused, read] = [0, 0]
    for (let number = 0; number < 4_000; number += 1) {
      const random = new Random(number)
      const bytes = plain.slice()
      const view = new DataView(bytes.buffer)
      // Behind the messages' bytes nothing is left to be read; most of what decides lies in the first 3 kB.
      const within = random.chance(0.7) ? Math.min(3_000, bytes.length) : bytes.length
      if (random.chance(0.4)) bytes[random.integer(0, within - 1)] = random.integer(0, 255)
      else if (random.chance(0.5))
        view.setInt32(4 * random.integer(0, (within >> 2) - 1), random.pick(extremes32) ?? 0, true)
      else view.setBigInt64(8 * random.integer(0, (within >> 3) - 1), random.pick(extremes64) ?? 0n, true)
      try {
        const container = await decodeContainer(zstdCompressSync(bytes))
        for (const { streamSeq, storedAtMs, headers } of container.messages) {
          expect(streamSeq >= 0 && storedAtMs >= 0 && storedAtMs <= 8.64e15).toBe(true)
          for (const [name, value] of headers) expect([typeof name, typeof value]).toEqual(['string', 'string'])
        }
        read += 1
      } catch (error) {
        if (!(error instanceof StrikeflowError)) throw error
        refused += 1
      }
    }
    process.stdout.write(`  archive files: ${refused} refused, ${read} read\n`)
    expect(refused).toBeGreaterThan(1_000)
  })

  it('are named as damaged and passed over, and the others are read', async () => {
    const writer = await openArchiveWriter({ directory: folder, log: silentLog })
    for (let file = 0; file < 12; file += 1) {
      const messages = Array.from({ length: 10 }, (_, i) => testMessage(file * 10 + i + 1))
      await writer.write({ ...head, fromSeq: file * 10 + 1 }, messages)
    }
    const [day = ''] = await readdir(folder)
    const names = (await readdir(join(folder, day))).toSorted()
    const random = new Random(5)
    const spoilt = names.filter((_, i) => i % 4 === 0)
    for (const name of spoilt) {
      const bytes = await readFile(join(folder, day, name))
      const at = random.integer(0, bytes.length - 1)
      bytes[at] = (bytes[at] as number) ^ 1
      await writeFile(join(folder, day, name), random.chance(0.3) ? bytes.subarray(0, at) : bytes)
    }
    const damaged: string[] = []
    const read = await Array.fromAsync(
      readArchive({ directory: folder, onDamage: ({ path, problem }) => damaged.push(`${path}: ${problem}`) }),
    )
    expect(damaged.length).toBeGreaterThan(3)
    expect(read).toHaveLength(120 - 10 * damaged.length)
  })
})
