import { expect, it } from 'vitest'
import { parseAckReply } from './ack-reply.ts'

const facts = { consumer: 'sf_1', streamSeq: 1234, consumerSeq: 17, storedAtMs: 1_795_318_174_638, pendingCount: 5 }

it('reads the reply subject of servers up to 2.14', () => {
  expect(parseAckReply('$JS.ACK.CHAINS.sf_1.1.1234.17.1795318174638123456.5')).toEqual(facts)
})

it('reads the reply subject with domain and account of servers from 2.15 on', () => {
  expect(parseAckReply('$JS.ACK._.ACCOUNT.CHAINS.sf_1.1.1234.17.1795318174638123456.5.random')).toEqual(facts)
})

it('takes nothing else for a delivery', () => {
  expect(parseAckReply('')).toBeNull()
  expect(parseAckReply('_INBOX.a.b')).toBeNull()
  expect(parseAckReply('$JS.ACK.CHAINS')).toBeNull()
})
