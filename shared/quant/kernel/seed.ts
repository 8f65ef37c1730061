import { block } from './block.ts'
import { nearBox, nearRatio, wideBox, wideRatio } from './lognormal-polynomials.ts'
import { seedShape, seedTable } from './seed-table.ts'

const { octaves, intervalsPerOctave } = seedShape
const intervals = octaves * intervalsPerOctave
const words = new Uint32Array(block.w.buffer)
/** Which word of a double holds sign and exponent. */
const high = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0
const firstIndex = 1023 * intervalsPerOctave

/** 1 / width of an interval is a power of two, by octave; then left / width + 1/2 as the shift. */
const inverseWidth = Float64Array.from({ length: intervals }, (_, i) => intervalsPerOctave / 2 ** (i >> 2))
const offset = Float64Array.from({ length: intervals }, (_, i) => intervalsPerOctave + (i & 3) + 0.5)

/**
 * First guess of the total volatility of each row of the block, from the normal (Bachelier) model: its volatility over the
 * straddle 2p + d is a function of w alone, looked up by the bits of w without log, root or division; a polynomial takes it
 * to the lognormal volatility. 0 where the row lies outside of tables and polynomials.
 */
export function seedBlock(count: number): void {
  const { price, distance, root, x, w, s } = block
  for (let j = 0; j < count; j++) {
    const index = (words[2 * j + high]! >>> 18) - firstIndex
    if (index >= intervals) {
      s[j] = 0
      continue
    }
    const t = w[j]! * inverseWidth[index]! - offset[index]!
    const c = index << 2
    const ratio = seedTable[c]! + t * (seedTable[c + 1]! + t * (seedTable[c + 2]! + t * seedTable[c + 3]!))
    const y = ((2 * price[j]! + distance[j]!) * ratio) / root[j]!
    const y2 = y * y
    const x2 = x[j]! * x[j]!
    if (y2 < nearBox.highestY2 && x2 < nearBox.highestX2) s[j] = y * nearRatio(y2, x2)
    else s[j] = y2 < wideBox.highestY2 && x2 < wideBox.highestX2 ? y * wideRatio(y2, x2) : 0
  }
}
