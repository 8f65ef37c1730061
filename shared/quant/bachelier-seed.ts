import { erfc, erfcx } from './normal.ts'

/**
 * A first guess of total volatility from the normal (Bachelier) model, which is scale-free: with p the undiscounted
 * out-of-the-money price and d = |F - K|, the ratio of normal volatility to straddle (2p + d) is a function W(w) of
 * w = 1 + d/p alone. W is tabulated as cubics over the bits of w (exponent and top two mantissa bits), so looking it up
 * takes no log, root or division. The table is computed when the module loads, in under a millisecond.
 */

const octaves = 56
const intervalsPerOctave = 4
const intervals = octaves * intervalsPerOctave
const firstIndex = 1023 * intervalsPerOctave
const coefficients = new Float64Array(intervals * 6)

const bits = new Float64Array(1)
const words = new Uint32Array(bits.buffer)
/** Word of a double that holds sign and exponent. */
const high = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0

const inverseSqrtTwoPi = 0.3989422804014327

/** Everything as functions of h = d / normal volatility. */
function nodeAt(h: number): { w: number; ratio: number; slope: number } {
  const density = inverseSqrtTwoPi * Math.exp(-0.5 * h * h)
  const tail = density * Math.sqrt(Math.PI / 2) * erfcx(h * Math.SQRT1_2)
  const inner = 1 - erfc(h * Math.SQRT1_2)
  // Price over volatility, and straddle over volatility.
  const price = density - h * tail
  const straddle = h * inner + 2 * density
  return {
    w: 1 + h / price,
    ratio: 1 / straddle,
    slope: (-inner / (straddle * straddle)) * ((price * price) / density),
  }
}

function solveNode(w: number): { ratio: number; slope: number } {
  let low = 0
  let high = 12
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2
    if (nodeAt(middle).w < w) low = middle
    else high = middle
  }
  return nodeAt((low + high) / 2)
}

function fillTable(): void {
  for (let i = 0; i < intervals; i++) {
    const left = edge(i)
    const width = edge(i + 1) - left
    const a = solveNode(left)
    const b = solveNode(left + width)
    const rise = b.ratio - a.ratio
    // Hermite cubic in t = (w - left) / width.
    coefficients.set(
      [
        left,
        1 / width,
        a.ratio,
        a.slope * width,
        3 * rise - (2 * a.slope + b.slope) * width,
        (a.slope + b.slope) * width - 2 * rise,
      ],
      i * 6,
    )
  }
}

function edge(i: number): number {
  return 2 ** Math.floor(i / intervalsPerOctave) * (1 + (i % intervalsPerOctave) / intervalsPerOctave)
}

fillTable()

/** W(w) for w >= 1. */
export function bachelierRatio(w: number): number {
  bits[0] = w
  const index = ((words[high] ?? 0) >>> 18) - firstIndex
  if (!(index >= 0 && index < intervals)) return ratioFarOut(w)
  const c = index * 6
  const t = (w - (coefficients[c] ?? 0)) * (coefficients[c + 1] ?? 0)
  const curve = (coefficients[c + 4] ?? 0) + t * (coefficients[c + 5] ?? 0)
  return (coefficients[c + 2] ?? 0) + t * ((coefficients[c + 3] ?? 0) + t * curve)
}

/** Beyond the table p/d is phi(h)/h^3 to leading order, and the straddle is d: three steps of the fixed point do. */
function ratioFarOut(w: number): number {
  const logW = Math.log(w)
  let h = Math.sqrt(2 * logW)
  for (let i = 0; i < 3; i++) h = Math.sqrt(Math.max(1, 2 * (logW - 3 * Math.log(h) - 0.9189385332046727)))
  return 1 / h
}
