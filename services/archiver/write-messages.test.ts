import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RawMessage } from '../../shared/archive/message.ts'
import { readManifest } from '../../shared/archive/manifest.ts'
import { readArchive } from '../../shared/archive/reader.ts'
import { openArchiveWriter } from '../../shared/archive/writer.ts'
import { testMessage } from '../../tests/support/archived-messages.ts'
import { silentLog } from '../../tests/support/nats.ts'
import { keepAside, writeMessages } from './write-messages.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-write-'))
  return () => rm(directory, { recursive: true, force: true })
})

const position = { stream: 'CHAINS', created: '2026-11-16T00:00:00Z', run: 1, fromSeq: 1 }

/** Headers that JSON cannot say: no file can hold the message. */
const unwritable = (streamSeq: number): RawMessage =>
  testMessage(streamSeq, 'SPY', { headers: new Map([['odd', 1n as unknown as string]]) })

describe('writing messages of any kind', () => {
  it('keeps every message when one cannot be in a file, and sets that one aside to the byte', async () => {
    const writer = await openArchiveWriter({ directory, log: silentLog })
    const messages = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((seq) => (seq === 5 ? unwritable(seq) : testMessage(seq)))
    const aside: number[] = []
    const setAside = async (message: RawMessage): Promise<void> => {
      aside.push(message.streamSeq)
      await keepAside(directory, 1, { ...message, headers: new Map() })
    }
    const entries = await Array.fromAsync(writeMessages(writer, position, messages, setAside))
    expect(aside).toEqual([5])
    expect(entries.at(-1)?.toSeq).toBe(9)
    expect(entries.flatMap(({ missing }) => missing)).toEqual([[5, 5]])
    const kept = await Array.fromAsync(readArchive({ directory }))
    expect(kept.map(({ streamSeq }) => streamSeq)).toEqual([1, 2, 3, 4, 6, 7, 8, 9])
    const file = JSON.parse(await readFile(join(directory, 'set-aside', '1-5.json'), 'utf8')) as {
      payloadBase64: string
    }
    expect(new Uint8Array(Buffer.from(file.payloadBase64, 'base64'))).toEqual(messages[4]?.payload)
    // What comes next goes on behind it.
    const next = { ...position, fromSeq: 10 }
    await Array.fromAsync(writeMessages(writer, next, [testMessage(10)], setAside))
    expect((await readManifest(directory)).damaged).toEqual([])
  })

  it('throws what is no fault of a message', async () => {
    const writer = await openArchiveWriter({ directory, log: silentLog })
    await rm(directory, { recursive: true })
    await writeFile(directory, 'no directory any more')
    const never = () => Promise.reject(new Error('set aside'))
    await expect(Array.fromAsync(writeMessages(writer, position, [testMessage(1)], never))).rejects.toMatchObject({
      syscall: expect.any(String),
    })
  })

  it('takes more messages in one file than a call may have arguments', async () => {
    const writer = await openArchiveWriter({ directory, log: silentLog })
    const one = testMessage(1)
    const messages = Array.from({ length: 150_000 }, (_, i) => ({ ...one, streamSeq: i + 1 }))
    const [entry] = await Array.fromAsync(writeMessages(writer, position, messages, () => Promise.resolve()))
    expect(entry?.messages).toBe(150_000)
  })
})
