import { describe, expect, it } from 'vitest'
import { waitFor } from '../support/wait-for.ts'
import { type Launch, Part, type PartKind } from './part.ts'
import { apiFailuresIn, ownEndsIn } from './torture.ts'

/** A process that ends at once, with this code. */
const ending =
  (code: number): Launch =>
  async () => ({ pid: 0, exited: Promise.resolve(code), signal: () => {} })

/** A process that ends with this code when it is told to. */
const endingWhenTold =
  (code: number): Launch =>
  async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    return { pid: 0, exited: promise, signal: () => resolve(code) }
  }

async function ownEndsOf(kind: PartKind, launch: Launch, isTold: boolean): Promise<readonly string[]> {
  await using part = new Part(kind, 'a', launch)
  await part.start()
  if (isTold) await part.stop()
  else await waitFor('the end', () => part.ownEnds.length > 0)
  return ownEndsIn({ parts: [part] })
}

describe('the verdict', () => {
  it('takes a service that ends by itself for a fault, and one that is told to and ends with another code than 0', async () => {
    expect((await ownEndsOf('processor', ending(1), false))[0]).toBe('own end: a ended with 1')
    expect((await ownEndsOf('archiver', ending(0), false))[0]).toBe('own end: a ended with 0')
    const [told] = await ownEndsOf('processor', endingWhenTold(1), true)
    expect(told).toMatch(/^own end: a ended with 1 when told to stop, after 0\.\d s$/)
    expect(await ownEndsOf('processor', endingWhenTold(0), true)).toEqual([])
  })

  it('only counts the ends of the embedded ClickHouse, and the code nats-server has at every stop', async () => {
    expect(await ownEndsOf('clickhouse', ending(1), false)).toEqual([])
    expect(await ownEndsOf('nats', endingWhenTold(1), true)).toEqual([])
    expect((await ownEndsOf('nats', ending(1), false))[0]).toBe('own end: a ended with 1')
  })

  it('has failed requests of an API that was up for a fault', () => {
    expect(apiFailuresIn({ apiRequests: 9, apiFailures: 0 })).toEqual([])
    expect(apiFailuresIn({ apiRequests: 9, apiFailures: 2 })).toEqual(['API: 2 of 9 requests failed while it was up'])
  })
})
