import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { startTestNats } from '../../tests/support/nats.ts'
import { openOrderedSource } from './ordered-source.ts'
import { createPublisher } from './publisher.ts'
import { ensureStreams, streamInfo } from './streams.ts'

it('gives a message whose headers nobody can read without any, and those after it', async () => {
  await using nats = await startTestNats()
  await using bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const socket = connect(Number(new URL(nats.url).port), '127.0.0.1')
  const headers = 'NATS/1.0\r\nA b: c\r\n\r\n'
  const put = `HPUB chains.raw.0.sim.A ${headers.length} ${headers.length + 2}\r\n${headers}hi\r\n`
  socket.write(`CONNECT {"verbose":false,"headers":true}\r\n${put}PING\r\n`)
  await expect.poll(async () => (await streamInfo(bus, 'CHAINS')).messages).toBe(1)
  socket.destroy()
  await createPublisher(bus, { publisherId: 'test' }).publish('chains.raw.0.sim.A', new Uint8Array(1), {
    messageId: 'readable',
  })
  await using source = await openOrderedSource(bus, {
    stream: 'CHAINS',
    filterSubject: 'chains.raw.0.>',
    fromSeq: 1,
  })
  const messages = source[Symbol.asyncIterator]()
  const first = await messages.next()
  expect(first.value).toMatchObject({ messageId: null, headers: new Map(), streamSeq: 1 })
  const second = await messages.next()
  expect(second.value).toMatchObject({ messageId: 'readable' })
})
