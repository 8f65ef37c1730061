import { expect, it } from 'vitest'
import { createGathering } from './gathering.ts'

function fakeTimers() {
  const timers = {
    ms: 1_000,
    due: [] as { readonly atMs: number; readonly callback: () => void }[],
    nowMs: () => timers.ms,
    after(delayMs: number, callback: () => void): () => void {
      timers.due.push({ atMs: timers.ms + delayMs, callback })
      return () => {}
    },
    goTo(ms: number): void {
      timers.ms = ms
      const over = timers.due.filter(({ atMs }) => atMs <= ms)
      timers.due = timers.due.filter(({ atMs }) => atMs > ms)
      for (const { callback } of over) callback()
    },
  }
  return timers
}

it('sends one at once, and what comes soon after it together and in order, each with its own answer', async () => {
  const timers = fakeTimers()
  const gather = createGathering(timers, 25)
  const sent: string[] = []
  const put = (name: string): Promise<string> =>
    gather(() => {
      sent.push(name)
      return name === 'c' ? Promise.reject(new Error('refused')) : Promise.resolve(`${name} stored`)
    })
  const answers = [put('a'), put('b')]
  timers.goTo(1_010)
  answers.push(put('c'))
  expect(sent).toEqual(['a'])
  timers.goTo(1_025)
  expect(sent).toEqual(['a', 'b', 'c'])
  await expect(Promise.allSettled(answers)).resolves.toMatchObject([
    { value: 'a stored' },
    { value: 'b stored' },
    { reason: new Error('refused') },
  ])
  timers.goTo(1_049)
  void put('d')
  expect(sent).toHaveLength(3)
  timers.goTo(1_050)
  expect(sent).toHaveLength(4)
  timers.goTo(1_075)
  void put('e')
  expect(sent).toEqual(['a', 'b', 'c', 'd', 'e'])
})
