import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openArchiveWriter } from '../../../shared/archive/writer.ts'
import type { RawMessage } from '../../../shared/archive/message.ts'
import { marketOpenMs, testMessage } from '../../../tests/support/archived-messages.ts'
import { silentLog } from '../../../tests/support/nats.ts'
import { openArchiveInput } from './archive-input.ts'
import type { WantedMessage } from './inputs.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'strikeflow-archive-input-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Files of three messages each, as many as the runs and beginnings say. */
async function archive(...files: readonly { readonly run: number; readonly fromSeq: number }[]): Promise<void> {
  const writer = await openArchiveWriter({ directory, log: silentLog })
  for (const { run, fromSeq } of files) {
    const messages: readonly RawMessage[] = [0, 1, 2].map((n) => testMessage(fromSeq + n))
    await writer.write({ stream: 'CHAINS', created: `t${run}`, run, fromSeq }, messages)
  }
}

const wanted = (incarnation: string, streamSeq: number, messageId = `id-${streamSeq}`): WantedMessage => ({
  incarnation,
  streamSeq,
  messageId,
  previousSeq: streamSeq - 1,
  marketTimeMs: marketOpenMs,
  publishedAtMs: marketOpenMs,
})

describe('messages from the archive', () => {
  it('are found by stream, sequence and message id, in any order, as the stream delivered them', async () => {
    await archive({ run: 1, fromSeq: 1 }, { run: 1, fromSeq: 4 }, { run: 2, fromSeq: 1 })
    await using input = await openArchiveInput(directory)
    for (const streamSeq of [5, 1, 6, 3]) {
      const { subject, headers, payload, storedAtMs } = testMessage(streamSeq)
      expect(await input.at(wanted('t1', streamSeq))).toEqual({
        subject,
        headers,
        payload,
        storedAtMs,
        streamSeq,
        messageId: `id-${streamSeq}`,
        previousSeq: streamSeq - 1,
        publisher: null,
        // The publisher did not say, so it is the server's.
        publishedAtMs: storedAtMs,
        pendingCount: 0,
      })
    }
    expect(await input.at(wanted('t2#1@0', 2))).toMatchObject({ messageId: 'id-2' })
  })

  it('are found as copies where the stream was filled again from it, under the sequence they have there', async () => {
    await archive({ run: 1, fromSeq: 1 })
    await using input = await openArchiveInput(directory)
    expect(await input.at(wanted('restored', 9, 'id-2'))).toMatchObject({
      messageId: 'id-2',
      streamSeq: 9,
      previousSeq: 8,
      payload: testMessage(2).payload,
    })
  })

  it('are not taken for others: a name is said where there is none', async () => {
    await archive({ run: 1, fromSeq: 1 })
    await using input = await openArchiveInput(directory)
    expect(await input.at(wanted('t1', 2, 'id-of-another'))).toMatch(/^0001-.*has another message there$/)
    expect(await input.at(wanted('t1', 40))).toBe('it is not archived')
    expect(await input.at(wanted('t1', 40, ''))).toBe('it is not archived')
  })

  it('are not read from a damaged file, which is named', async () => {
    await archive({ run: 1, fromSeq: 1 })
    const [day = ''] = await readdir(directory)
    const name = (await readdir(join(directory, day))).find((each) => each.endsWith('.zst')) ?? ''
    await writeFile(join(directory, day, name), 'nothing')
    await using input = await openArchiveInput(directory)
    expect(await input.at(wanted('t1', 1))).toContain(`${day}/${name}: has 7 bytes`)
    await using none = await openArchiveInput(join(directory, 'nowhere'))
    expect(await none.at(wanted('t1', 1))).toBe('it is not archived')
  })
})
