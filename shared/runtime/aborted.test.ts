import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { aborted, doneOrAborted } from './aborted.ts'

describe('the end of a signal', () => {
  it('is waited for, and over at once where it is there already', async () => {
    const stop = new AbortController()
    const waiting = aborted(stop.signal)
    stop.abort()
    await expect(waiting).resolves.toBeUndefined()
    await expect(aborted(stop.signal)).resolves.toBeUndefined()
  })
})

describe('work until the end of a signal', () => {
  it('leaves no listener behind, however often', async () => {
    const { signal } = new AbortController()
    for (let second = 0; second < 100; second += 1) await doneOrAborted(Promise.resolve(), signal)
    await expect(doneOrAborted(Promise.reject(new Error('planted')), signal)).rejects.toThrow('planted')
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is not waited for once the signal aborts', async () => {
    const stop = new AbortController()
    const never = new Promise(() => {})
    const waiting = doneOrAborted(never, stop.signal)
    stop.abort()
    await waiting
    await doneOrAborted(never, stop.signal)
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
  })
})
