import { describe, expect, it } from 'vitest'
import { loadavg } from 'node:os'
import { checksums } from '../support/checksum.ts'
import { chainMessages, openStage, type TestProcessor, testLease, waitForCommits } from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'

describe('processors that share the partitions', () => {
  it('are as many for all: another number ends a processor with exit code 2, and both in words', async () => {
    await using stage = await openStage()
    await stage.start('one')
    const other = await stage.start('two', { PROCESSOR_PARTITIONS: '32' }, false)
    expect(await other.exited).toBe(2)
    const problem = other.log.find(({ msg }) => msg === 'settings cannot work')?.['problem']
    expect(problem).toContain('PROCESSOR_PARTITIONS is 32, but CHAINS on this server has 16 partitions')
  })

  it('rows are the same as from one undisturbed processor when one is killed, one stopped and another joins', async () => {
    const messages = chainMessages(40, 60)
    await using reference = await openStage()
    await reference.start('alone')
    await reference.publish(messages)
    await waitForCommits(reference, messages.length)
    const expected = await checksums(reference.store.query)
    expect(expected['alerts_v1']?.rows).toBeGreaterThan(40)

    await using stage = await openStage()
    const [a, b] = [await stage.start('a'), await stage.start('b')]
    await owning([a, b], 16)
    expect((await a.owned()).length).toBe(8)
    const third = messages.length / 3
    await stage.publish(messages.slice(0, third))
    const published = stage.publish(messages.slice(third, 2 * third))
    await waitForCommits(stage, third + 50)
    b.kill('SIGKILL')
    const killedMs = performance.now()
    await published
    await waitFor('the partitions of the killed one', async () => (await a.owned()).length === 16, { intervalMs: 20 })
    const takeoverMs = performance.now() - killedMs
    await waitForCommits(stage, 2 * third)
    const c = await stage.start('c')
    await owning([a, c], 16)
    const rest = stage.publish(messages.slice(2 * third))
    await waitForCommits(stage, 2 * third + 50)
    const stoppedMs = performance.now()
    const exit = a.stop()
    await waitFor('the partitions of the stopped one', async () => (await c.owned()).length === 16, { intervalMs: 20 })
    const handOverMs = performance.now() - stoppedMs
    expect(await exit).toBe(0)
    await rest
    await waitForCommits(stage, messages.length)
    expect(await checksums(stage.store.query)).toEqual(expected)
    // Printed and not compared with a bound: a busy machine takes longer, and docs/reliability.md has the figures of a quiet one.
    figure('takeover after kill -9', takeoverMs)
    figure('hand-over by a stop', handOverMs)
  })
})

/** Resolves when they own so many together, none twice. */
async function owning(processors: readonly TestProcessor[], count: number): Promise<void> {
  await waitFor(`${count} partitions owned`, async () => {
    const owned = (await Promise.all(processors.map((processor) => processor.owned()))).flat()
    return owned.length === count && new Set(owned).size === count
  })
}

const figure = (what: string, ms: number): void =>
  void process.stdout.write(
    `${what}: ${Math.round(ms)} ms (TTL ${testLease.ttlMs} ms, load ${loadavg()[0]?.toFixed(1)})\n`,
  )
