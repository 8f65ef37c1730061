import { describe, expect, it } from 'vitest'
import { letterOf } from './dead-letters.ts'
import { deliveryOf } from './ordered-source.ts'

const delivery = (changed: Partial<Parameters<typeof deliveryOf>[0]> = {}) =>
  deliveryOf({
    subject: 'chains.raw.3.cboe.SPY',
    streamSeq: 7,
    previousSeq: 6,
    headers: new Map([
      ['Nats-Msg-Id', 'id'],
      ['Sf-Schema', '1'],
    ]),
    payload: new Uint8Array(100),
    storedAtMs: 1_000,
    pendingCount: 0,
    ...changed,
  })

describe('letterOf', () => {
  it('keeps a message whole, with the reason', () => {
    const letter = letterOf(delivery(), 'undecodable', new Error('no “table”'))
    expect(letter).toMatchObject({ subject: 'dlq.chains.raw.3.cboe.SPY', messageId: 'dlq-7-id' })
    expect(letter.payload).toHaveLength(100)
    expect(letter.headers).toEqual({
      'Sf-Schema': '1',
      'Sf-Reason': 'undecodable',
      'Sf-Error': 'no  table ',
      'Sf-Stream-Seq': '7',
      'Sf-Message-Id': 'id',
    })
  })

  it.each([
    ['a payload', { payload: new Uint8Array(1_048_000) }],
    ['headers', { headers: new Map([['X', 'x'.repeat(1_000_000)]]) }],
    ['a header of two lines', { headers: new Map([['X', 'one\ntwo']]) }],
    ['a name of a header', { headers: new Map([['X y', 'one']]) }],
    ['a subject', { subject: `chains.raw.3.cboe.${'S'.repeat(4_000)}` }],
  ])('cuts %s that no dead letter can have, and says so', (_, changed) => {
    const { subject, payload, headers } = letterOf(delivery(changed), 'undecodable', 'not even an error')
    expect(headers['Sf-Full-Bytes']).toBe(String('payload' in changed ? changed.payload.length : 100))
    expect(payload.length).toBeLessThanOrEqual(65_536)
    expect(subject.length).toBeLessThan(1_100)
    expect(JSON.stringify(headers).length).toBeLessThan(10_000)
  })
})

describe('deliveryOf', () => {
  it.each(['1e300', '-1', '9000000000000000', 'now'])(
    'takes the server for the time of publication where the publisher says %j',
    (text) => {
      expect(delivery({ headers: new Map([['Sf-Published-At', text]]) }).publishedAtMs).toBe(1_000)
    },
  )
})
