import { describe, expect, it } from 'vitest'
import type { StreamConfig } from '@nats-io/jetstream'
import { compareStream } from './stream-drift.ts'
import { bucketNames, bucketSpecs, streamNames, streamSpecs } from './stream-specs.ts'
import { streamConfig } from './streams.ts'

const chains = streamSpecs.find(({ name }) => name === 'CHAINS') ?? expect.fail('no CHAINS')
const alerts = streamSpecs.find(({ name }) => name === 'ALERTS') ?? expect.fail('no ALERTS')

describe('the declared streams', () => {
  it('are all there, each bounded in bytes in every profile', () => {
    expect(streamSpecs.map(({ name }) => name)).toEqual([...streamNames])
    expect(bucketSpecs.map(({ name }) => name)).toEqual(bucketNames.map((name) => `KV_${name}`))
    for (const { maxBytes } of [...streamSpecs, ...bucketSpecs])
      expect(Math.min(...Object.values(maxBytes))).toBeGreaterThan(0)
  })

  it('fit together under the embedded server of 4 GB', () => {
    const reserved = [...streamSpecs, ...bucketSpecs].reduce((sum, { maxBytes }) => sum + maxBytes.embedded, 0)
    expect(reserved).toBeLessThan(4 * 1024 ** 3)
  })

  it('are said without what an old server does not know', () => {
    expect(streamConfig(alerts, 'embedded', 1, '2.9.10')).not.toHaveProperty('compression')
    expect(streamConfig(alerts, 'embedded', 1, '2.10.27')).toMatchObject({ compression: 's2' })
    expect(streamConfig(chains, 'production', 3, '2.12.15')).toMatchObject({
      max_bytes: 20 * 1024 ** 3,
      max_age: 72 * 3_600 * 1e9,
      num_replicas: 3,
      discard: 'old',
    })
  })
})

describe('compareStream', () => {
  const wanted = streamConfig(chains, 'embedded', 1, '2.9.10')
  const found = (changes: Partial<StreamConfig> = {}): StreamConfig => ({ ...wanted, ...changes }) as StreamConfig

  it('finds nothing to do where nothing differs, even when the server leaves out what is empty', () => {
    expect(compareStream(wanted, found())).toEqual({ update: {}, drift: [], immovable: [] })
    const { max_msgs: _, ...shorter } = found()
    expect(compareStream(wanted, shorter as StreamConfig).update).toEqual({})
  })

  it('raises a limit', () => {
    expect(compareStream(wanted, found({ max_bytes: 1_000 })).update).toEqual({ max_bytes: wanted.max_bytes })
  })

  it('never lowers a limit, because that deletes messages', () => {
    for (const larger of [{ max_bytes: 2 ** 40 }, { max_bytes: -1 }, { max_age: 0 }]) {
      const { update, drift } = compareStream(wanted, found(larger))
      expect(update).toEqual({})
      expect(drift).toEqual([
        { field: Object.keys(larger)[0], wanted: expect.anything(), found: Object.values(larger)[0] },
      ])
    }
  })

  it('adds copies, and takes none away that it was not told of', () => {
    const thrice = streamConfig(chains, 'embedded', 3, '2.12.15')
    expect(compareStream(thrice, found({ num_replicas: 1 })).update).toEqual({ num_replicas: 3 })
    expect(compareStream(wanted, found({ num_replicas: 3 }))).toMatchObject({
      update: {},
      drift: [{ field: 'num_replicas', wanted: 1, found: 3 }],
    })
  })

  it('names what cannot be changed in place', () => {
    const { immovable } = compareStream(wanted, found({ retention: 'workqueue' as StreamConfig['retention'] }))
    expect(immovable).toEqual([{ field: 'retention', wanted: 'limits', found: 'workqueue' }])
  })
})
