import { describe, expect, it } from 'vitest'
import { systemTimers } from '../../../shared/runtime/clock.ts'
import { createTurns } from './turns.ts'

describe('turns', () => {
  it('lets everything else have its turn after each message, however many readers there are', async () => {
    let nowMs = 0
    let turns = 0
    const timers = {
      ...systemTimers,
      nowMs: () => nowMs,
      turn: async () => {
        await systemTimers.turn()
        turns += 1
      },
    }
    const turn = createTurns(timers)
    const worked: string[] = []
    const read = async (name: string): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await turn()
        // What comes between the turn and the work: a few looks that need no waiting.
        for (let look = 0; look < 10; look++) await Promise.resolve()
        worked.push(`${name}${turns}`)
        nowMs += 10
      }
    }
    await Promise.all([read('a'), read('b'), read('c')])
    // The first ones come before time is up.
    expect(worked.slice(3)).toEqual(['a1', 'b2', 'c3', 'a4', 'b5', 'c6'])
  })

  it('goes on at once while time is not up', async () => {
    let turns = 0
    const timers = { ...systemTimers, nowMs: () => 0, turn: async () => void (turns += 1) }
    const turn = createTurns(timers)
    for (let i = 0; i < 100; i++) await turn()
    expect(turns).toBe(0)
  })
})
