import { createdOf } from '../delivery/place.ts'

/** Incarnations of a stream in the order they were read: by the time it was made, then by how often it had gone back. */
export const inOrder = (incarnations: readonly string[]): readonly string[] =>
  incarnations.toSorted((a, b) => {
    const [createdA, createdB] = [createdOf(a), createdOf(b)]
    if (createdA !== createdB) {
      const [timeA, timeB] = [Date.parse(createdA), Date.parse(createdB)]
      // Parsed times have milliseconds only; the rest of the digits decides by its text, for which a Z would be larger than a digit.
      return timeA - timeB || (createdA.replace('Z', '') < createdB.replace('Z', '') ? -1 : 1)
    }
    return timesBack(a) - timesBack(b)
  })

const timesBack = (incarnation: string): number => Number(/#(\d+)/.exec(incarnation)?.[1] ?? 0)
