/**
 * The kernel works through a column of quotes in blocks, one pass after the other over columns that stay in the first-level
 * cache. Doubles go from pass to pass through these arrays and never as arguments or results of a call that the compiler
 * leaves a call: it would box each of them on the heap, which costs more than the arithmetic and brings in the garbage
 * collector. Shared by all callers: a pass runs to its end before anything else can.
 */
export const blockRows = 256

const column = (): Float64Array => new Float64Array(blockRows)

/** One row for each quote of the block that can have a volatility, without gaps. */
export const block = {
  /** Index of the quote in the caller's columns. */
  row: new Int32Array(blockRows),
  /** p, the undiscounted out-of-the-money price. */
  price: column(),
  /** 1 where the out-of-the-money option of this strike is the call, -1 where it is the put. */
  side: column(),
  /** The smaller of forward and strike, which bounds p. */
  lower: column(),
  /** d = |F - K|. */
  distance: column(),
  /** x = |ln(F/K)|. */
  x: column(),
  /** sqrt(F K). */
  root: column(),
  /** w = 1 + d/p. */
  w: column(),
  /** sqrt(F K) / p, the reciprocal of the normalised price b. */
  inverseB: column(),
  /** A = b exp(u^2 + v^2), of the guess. */
  a: column(),
  /** s = sigma sqrt(T). */
  s: column(),
  /** Rows one step was not enough for. */
  rest: new Int32Array(blockRows),
}
