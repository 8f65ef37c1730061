/*
 * Black's formula, the simulator's own: what it makes is what our solver has to find again, so the two share no code.
 */

/** Scratch for one strike, refilled by `priceStrike`: an object per strike would cost more than the prices. */
export interface StrikePrice {
  call: number
  put: number
  /** Standard normal distribution at d1 and d2, density at d1. */
  nd1: number
  nd2: number
  density: number
}

export const emptyPrice = (): StrikePrice => ({ call: 0, put: 0, nd1: 0, nd2: 0, density: 0 })

const inverseSqrtTwoPi = 0.3989422804014327

/**
 * Prices call and put of one strike off the forward (Black 1976). `moneyness` is ln(forward / strike), `deviation` is
 * sigma * sqrt(T) > 0.
 */
export function priceStrike(
  out: StrikePrice,
  { forward, discount }: { readonly forward: number; readonly discount: number },
  strike: number,
  moneyness: number,
  deviation: number,
): void {
  const d1 = moneyness / deviation + deviation / 2
  const d2 = d1 - deviation
  const e1 = Math.exp(-0.5 * d1 * d1)
  out.density = e1 * inverseSqrtTwoPi
  out.nd1 = tail(d1, e1)
  out.nd2 = tail(d2, Math.exp(-0.5 * d2 * d2))
  const parity = discount * (forward - strike)
  // The out-of-the-money side directly, the other by parity: no cancellation, and parity holds to the last bit.
  if (strike >= forward) {
    out.call = Math.max(0, discount * (forward * out.nd1 - strike * out.nd2))
    out.put = out.call - parity
  } else {
    out.put = Math.max(0, discount * (strike * (1 - out.nd2) - forward * (1 - out.nd1)))
    out.call = out.put + parity
  }
}

/** Cumulative normal to double precision (Hart 1968 as in West, "Better approximations to cumulative normal functions", 2005). */
function tail(x: number, exponential: number): number {
  const z = Math.abs(x)
  if (z > 37) return x > 0 ? 1 : 0
  const below = z < 7.07106781186547 ? central(z, exponential) : outer(z, exponential)
  return x > 0 ? 1 - below : below
}

function central(z: number, exponential: number): number {
  let top = 3.52624965998911e-2 * z + 0.700383064443688
  top = top * z + 6.37396220353165
  top = top * z + 33.912866078383
  top = top * z + 112.079291497871
  top = top * z + 221.213596169931
  top = top * z + 220.206867912376
  let bottom = 8.83883476483184e-2 * z + 1.75566716318264
  bottom = bottom * z + 16.064177579207
  bottom = bottom * z + 86.7807322029461
  bottom = bottom * z + 296.564248779674
  bottom = bottom * z + 637.333633378831
  bottom = bottom * z + 793.826512519948
  bottom = bottom * z + 440.413735824752
  return (exponential * top) / bottom
}

function outer(z: number, exponential: number): number {
  const fraction = z + 1 / (z + 2 / (z + 3 / (z + 4 / (z + 0.65))))
  return exponential / (fraction * 2.506628274631)
}
