import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from '../../shared/archive/manifest.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import type { ReplayReport } from '../../shared/model/replay.ts'
import { chainMessages, type DeliveryStage, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { stepTimeMs } from '../support/replayed-chains.ts'
import { startService } from '../support/service.ts'
import { strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

describe('a replay over several lives', () => {
  let stage: DeliveryStage
  let folder: string
  const archive = (): string => join(folder, 'archive')
  const isArchived = async (runs: number, messages: number): Promise<boolean> => {
    const { entries } = await readManifest(archive())
    return entries.at(-1)?.run === runs && entries.reduce((sum, entry) => sum + entry.messages, 0) >= messages
  }

  async function replay(...args: readonly string[]): Promise<ReplayReport & { readonly code: number | null }> {
    const command = ['replay', '--into', 'scratch', '--replace', '--compare', '--nats', stage.nats.url, '--json']
    const all = [...command, '--archive', archive(), '--data', folder, ...args]
    const { code, stdout, stderr } = await strikeflow(all, stage.clickhouse.env)
    if (stdout === '') throw new Error(stderr)
    return { ...(JSON.parse(stdout) as ReplayReport), code }
  }

  /** Two processors with other rates one after the other; then CHAINS is made anew and has copies and news. */
  beforeAll(async () => {
    stage = await openStage()
    folder = await mkdtemp(join(tmpdir(), 'strikeflow-replay-'))
    await using archiver = startService('archiver', {
      NATS_URL: stage.nats.url,
      ARCHIVER_DIRECTORY: archive(),
      ARCHIVER_FILE_SECONDS: '1',
    })
    for (const [rate, from] of [
      ['0.03', 0],
      ['0.05', 15],
    ] as const) {
      await stage.publish(chainMessages(6, 15, from))
      await using processor = await stage.start(`from-${from}`, { PROCESSOR_RISK_FREE_RATE: rate })
      await waitForCommits(stage, 6 * (from + 15))
      await processor.stop()
    }
    await waitFor('the archive of the first stream', () => isArchived(1, 180))
    await archiver.end('SIGTERM')
    await stage.bus.jsm.streams.delete('CHAINS')
    await ensureStreams(stage.bus, 'embedded')
    await using second = startService('archiver', {
      NATS_URL: stage.nats.url,
      ARCHIVER_DIRECTORY: archive(),
      ARCHIVER_FILE_SECONDS: '1',
    })
    await stage.publish([...chainMessages(6, 5, 25), ...chainMessages(6, 10, 30)])
    await using processor = await stage.start('anew')
    await waitForCommits(stage, 180 + 90)
    await processor.stop()
    await waitFor('the archive of the second stream', () => isArchived(2, 270))
    await second.end('SIGTERM')
  })
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('of a stream that was made anew, under three sets of parameters, gives identical rows', async () => {
    const report = await replay()
    expect(report.comparison).toMatchObject({ same: true, rows: [], brokenChain: [] })
    expect(report).toMatchObject({
      code: 0,
      outcomes: { stored: 240, duplicate: 30 },
      readFrom: { stream: 90, archive: 180 },
    })
    expect(report.parameters.map((text) => /rate (\S+)/.exec(text)?.[1])).toEqual(['0.03', '0.05', '0.037'])
  })

  it('of a range across both streams goes on from the states of the first', async () => {
    const [from, to] = [27, 33].map((step) => new Date(stepTimeMs(step)).toISOString())
    const report = await replay('--from', from ?? '', '--to', to ?? '')
    expect(report.comparison).toMatchObject({ same: true })
    expect(report).toMatchObject({ code: 0, outcomes: { stored: 36, duplicate: 18 }, states: 6 })
  })

  it('of the second stream alone finds what the first one has stored before it', async () => {
    const report = await replay('--from', new Date(stepTimeMs(30)).toISOString(), '--source', 'stream')
    expect(report).toMatchObject({ code: 0, outcomes: { stored: 60 }, states: 6, comparison: { same: true } })
  })
})
