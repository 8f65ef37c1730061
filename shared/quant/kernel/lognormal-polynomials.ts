/** Made by scripts/generate-quant-tables.ts; do not edit. */
export const nearBox = { highestY2: 2, highestX2: 1 } as const

/**
 * Lognormal over normal volatility in the box, y2 and x2 the squares of normal volatility and log-moneyness. Largest relative
 * error, weighted by (1 + u^2)^(3/4): 1.9e-5.
 */
export function nearRatio(y2: number, x2: number): number {
  const row0 = 0.9999981203137 + x2 * (-0.04164550406629 + x2 * 0.001165132111915)
  const row1 = 0.04179342171975 + x2 * (-0.005660323470083 + x2 * 0.0004277151196727)
  const row2 = 0.003284328673003 + x2 * (-0.0005653872923726 + x2 * 0.000009945551174084)
  const row3 = 0.0006671985594869 + x2 * (-0.0002732662572677 + x2 * 0.00005554322566647)
  return row0 + y2 * (row1 + y2 * (row2 + y2 * row3))
}

export const wideBox = { highestY2: 5, highestX2: 2.25 } as const

/**
 * Lognormal over normal volatility in the box, y2 and x2 the squares of normal volatility and log-moneyness. Largest relative
 * error, weighted by (1 + u^2)^(3/4): 1.0e-4.
 */
export function wideRatio(y2: number, x2: number): number {
  const row0 = 1.000007005164 + x2 * (-0.04168743897612 + x2 * (0.001239959236821 + x2 * -0.00003839256858648))
  const row1 = 0.04066479462702 + x2 * (-0.003895233237413 + x2 * (-0.0008764487991327 + x2 * 0.0003209411136754))
  const row2 = 0.007009978946402 + x2 * (-0.005321984598945 + x2 * (0.003215526232307 + x2 * -0.000794402916214))
  const row3 = -0.003325765780272 + x2 * (0.00424059877067 + x2 * (-0.002707951323202 + x2 * 0.0006569346522441))
  const row4 = 0.001859320952181 + x2 * (-0.001973243916698 + x2 * (0.00111387277545 + x2 * -0.0002548382757891))
  const row5 = -0.0004020347212463 + x2 * (0.0004131228786831 + x2 * (-0.0002154936113482 + x2 * 0.00004653840719907))
  const row6 =
    0.0000364216539314 + x2 * (-0.00003533830068033 + x2 * (0.00001681715030808 + x2 * -0.000003371655963604))
  return row0 + y2 * (row1 + y2 * (row2 + y2 * (row3 + y2 * (row4 + y2 * (row5 + y2 * row6)))))
}
