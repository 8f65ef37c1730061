import { expect, it } from 'vitest'
import { createWindow } from './window.ts'

it('lets no more in than its size, first come first served', async () => {
  const window = createWindow(2)
  const order: number[] = []
  const enter = async (caller: number): Promise<void> => {
    await window.take()
    order.push(caller)
  }
  const all = [1, 2, 3, 4].map(enter)
  await Promise.all(all.slice(0, 2))
  expect(order).toEqual([1, 2])
  window.release()
  await all[2]
  expect(order).toEqual([1, 2, 3])
  window.release()
  await all[3]
  expect(window.inUse).toBe(2)
})

it('forgets a caller whose signal aborts, and gives its place to the next', async () => {
  const window = createWindow(1)
  await window.take()
  const abort = new AbortController()
  const given = window.take(abort.signal)
  const next = window.take()
  abort.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  window.release()
  await next
  expect(window.inUse).toBe(1)
})

it('is idle when everything is released', async () => {
  const window = createWindow(1)
  await window.idle()
  await window.take()
  const idle = window.idle()
  window.release()
  await idle
  expect(window.inUse).toBe(0)
})
