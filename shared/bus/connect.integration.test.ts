import { expect, it } from 'vitest'
import { silentLog, startTestNats } from '../../tests/support/nats.ts'
import { connectBus } from './connect.ts'

it('waits for a server that is not there yet, until told to stop', async () => {
  const stop = new AbortController()
  const waiting = connectBus({ servers: 'nats://127.0.0.1:1', name: 'test', log: silentLog, signal: stop.signal })
  setTimeout(() => stop.abort(), 400)
  await expect(waiting).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }))
})

it('connects as soon as the server is there', async () => {
  await using nats = await startTestNats()
  await nats.kill()
  const connecting = nats.connect()
  await nats.restart()
  const bus = await connecting
  expect(bus.status()).toBe('connected')
})

it('tells of a lost connection and of the next one', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  const seen: string[] = []
  bus.onStatus((status) => seen.push(status))
  await nats.kill()
  await expect.poll(() => bus.status()).toBe('disconnected')
  await nats.restart()
  await bus.connected()
  expect(seen).toEqual(['disconnected', 'connected'])
})

it('closes when the server is away', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await nats.kill()
  await expect.poll(() => bus.status()).toBe('disconnected')
  await bus[Symbol.asyncDispose]()
  await expect(bus.closed).resolves.toBeNull()
})
