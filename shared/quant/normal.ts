/**
 * The normal distribution by Cody's rational approximations of the error function ("Rational Chebyshev Approximations for
 * the Error Function", Math. Comp. 23, 1969), accurate to about one unit in the last place. The scaled form erfcx(x) =
 * exp(x^2) erfc(x) neither underflows nor loses digits in the tail, which is why the Black price is built on it.
 */

const sqrtHalf = Math.SQRT1_2
const inverseSqrtPi = 0.5641895835477563
const inverseSqrtTwoPi = 0.3989422804014327

/** erf(x)/x for |x| <= 0.46875 as a function of x^2. */
function erfOverX(y: number): number {
  const top =
    (((0.18577770618460315 * y + 3.1611237438705655) * y + 113.86415415105016) * y + 377.485237685302) * y +
    3209.3775891384694
  const bottom = (((y + 23.601290952344122) * y + 244.02463793444417) * y + 1282.6165260773723) * y + 2844.236833439171
  return top / bottom
}

/** erfcx(x) for 0.46875 < x <= 4. */
function erfcxMiddle(x: number): number {
  const topHigh =
    (((2.1531153547440383e-8 * x + 0.5641884969886701) * x + 8.883149794388377) * x + 66.11919063714163) * x +
    298.6351381974001
  const top =
    (((topHigh * x + 881.952221241769) * x + 1712.0476126340707) * x + 2051.0783778260716) * x + 1230.3393547979972
  const bottomHigh =
    (((x + 15.744926110709835) * x + 117.6939508913125) * x + 537.1811018620099) * x + 1621.3895745666903
  const bottom =
    (((bottomHigh * x + 3290.7992357334597) * x + 4362.619090143247) * x + 3439.3676741437216) * x + 1230.3393548037495
  return top / bottom
}

/** erfcx(x) for x > 4. */
function erfcxFar(x: number): number {
  const y = 1 / (x * x)
  const top =
    ((((0.016315387137302097 * y + 0.30532663496123236) * y + 0.36034489994980445) * y + 0.12578172611122926) * y +
      0.016083785148742275) *
      y +
    0.0006587491615298378
  const bottom =
    ((((y + 2.568520192289822) * y + 1.8729528499234673) * y + 0.5279051029514285) * y + 0.06051834131244132) * y +
    0.0023352049762686918
  return (inverseSqrtPi - (y * top) / bottom) / x
}

/** exp(-x^2), with x^2 split so that its rounding does not reach the result (Cody). */
function expMinusSquare(x: number): number {
  const head = Math.trunc(x * 16) / 16
  return Math.exp(-head * head) * Math.exp(-(x - head) * (x + head))
}

/** exp(x^2) erfc(x). Infinite below about -26.6. */
export function erfcx(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude <= 0.46875) return (1 - x * erfOverX(x * x)) * Math.exp(x * x)
  const positive = magnitude <= 4 ? erfcxMiddle(magnitude) : erfcxFar(magnitude)
  return x > 0 ? positive : 2 / expMinusSquare(magnitude) - positive
}

/** 1 - erf(x), with full relative accuracy in the right tail. */
export function erfc(x: number): number {
  const magnitude = Math.abs(x)
  if (magnitude <= 0.46875) return 1 - x * erfOverX(x * x)
  const tail = expMinusSquare(magnitude) * (magnitude <= 4 ? erfcxMiddle(magnitude) : erfcxFar(magnitude))
  return x > 0 ? tail : 2 - tail
}

/** Standard normal density. */
export function normalPdf(x: number): number {
  return inverseSqrtTwoPi * Math.exp(-0.5 * x * x)
}

/** Standard normal distribution function, with full relative accuracy in the left tail. */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * sqrtHalf)
}
