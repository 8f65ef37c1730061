/*
 * Randomness as a function: what is drawn depends on the seed and on what it is drawn for, never on how many numbers
 * somebody else drew before. That keeps a chain the same whichever others are asked for, and in whichever order.
 */

/** Hashes a text to 32 bits (FNV-1a, then the finalizer of MurmurHash3). */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return finalize(hash)
}

/** Mixes two 32-bit numbers into one; not symmetric. */
export const mix = (a: number, b: number): number => finalize(Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ finalize(b))

function finalize(bits: number): number {
  let hash = bits
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** A hash as a number in [0, 1), of 24 bits so that a Float32Array holds it exactly and below 1. */
export const uniformOf = (hash: number): number => (hash >>> 8) / 16_777_216

/** A hash as a standard normal deviate (Box-Muller). */
export function normalOf(hash: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformOf(hash)))
  return radius * Math.cos(2 * Math.PI * uniformOf(finalize(hash ^ 0x5bd1e995)))
}

export interface Random {
  /** In [0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
}

/** A sequential generator (sfc32, Chris Doty-Humphrey, PractRand) for one purpose, seeded by one hash. */
export function createRandom(seed: number): Random {
  let a = finalize(seed)
  let b = mix(seed, 1)
  let c = mix(seed, 2)
  let counter = 1
  let spare = NaN

  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let i = 0; i < 8; i++) next()

  const uniform = (): number => next() / 4_294_967_296
  return {
    uniform,
    normal() {
      if (spare === spare) {
        const value = spare
        spare = NaN
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
  }
}
