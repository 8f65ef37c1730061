import { describe, expect, it } from 'vitest'
import { Unstorable } from './unstorable.ts'

const place = (streamSeq: number) => ({ partition: 3, incarnation: 'i', streamSeq })
const error = new Error('unknown element of enum')

describe('messages the store refuses', () => {
  it('are believed to be so at the second refusal, each by its own place', () => {
    const unstorable = new Unstorable()
    expect(unstorable.note(place(7), error)).toBe(true)
    expect(unstorable.refusalOf(place(7))).toBeNull()
    expect(unstorable.note(place(7), error)).toBe(true)
    expect(unstorable.refusalOf(place(7))).toEqual({ reason: 'unstorable', error })
    expect(unstorable.refusalOf({ ...place(7), partition: 4 })).toBeNull()
    expect(unstorable.refusalOf({ ...place(7), incarnation: 'j' })).toBeNull()
  })

  it('are no fault of theirs when nothing at all is stored any more', () => {
    const unstorable = new Unstorable()
    const refuseTwice = (streamSeq: number): boolean =>
      unstorable.note(place(streamSeq), error) && unstorable.note(place(streamSeq), error)
    expect(Array.from({ length: 8 }, (_, i) => refuseTwice(i + 1))).not.toContain(false)
    expect(refuseTwice(9)).toBe(false)
    expect(unstorable.refusalOf(place(9))).toBeNull()
    unstorable.stored()
    expect(refuseTwice(9)).toBe(true)
  })
})
