export type ExerciseStyle = 'european' | 'american'
/** On the opening prices of the expiry date, or on its closing prices. */
export type SettlementStyle = 'am' | 'pm'

/** What differs from an equity or ETF option, which is American and settled on the close. */
export interface RootFacts {
  readonly root: string
  readonly underlying: string
  readonly exercise: ExerciseStyle
  readonly settlement: SettlementStyle
  readonly source: string
}

const fact = (
  root: string,
  underlying: string,
  exercise: ExerciseStyle,
  settlement: SettlementStyle,
  source: string,
): RootFacts => ({ root, underlying, exercise, settlement, source })

const cboe = (page: string): string => `Cboe, ${page} options product specifications`
const sectors = cboe('Select Sector Index (SIXM)')
const nasdaq = 'Nasdaq, Nasdaq-100 index options product comparison'
const bitcoin = 'Cboe, Bitcoin U.S. ETF Index options product comparison'

export const usIndexRoots: readonly RootFacts[] = [
  fact('SPX', 'SPX', 'european', 'am', cboe('SPX')),
  fact('SPXW', 'SPX', 'european', 'pm', cboe('SPX weeklys and end-of-month')),
  fact('SPXPM', 'SPX', 'european', 'pm', cboe('SPXPM')),
  fact('XSP', 'XSP', 'european', 'pm', cboe('XSP')),
  fact('OEX', 'OEX', 'american', 'pm', cboe('OEX')),
  fact('XEO', 'XEO', 'european', 'pm', cboe('XEO')),
  fact('DJX', 'DJX', 'european', 'am', cboe('DJX')),
  fact('RUT', 'RUT', 'european', 'am', cboe('RUT')),
  fact('RUTW', 'RUT', 'european', 'pm', cboe('RUT weeklys and end-of-month')),
  fact('MRUT', 'MRUT', 'european', 'pm', cboe('Mini-Russell 2000')),
  fact('RUI', 'RUI', 'european', 'am', 'ISE and CBOE, Russell 1000 Index option specifications'),
  fact('RLV', 'RLV', 'european', 'am', cboe('Russell 1000 Value')),
  fact('RLG', 'RLG', 'european', 'am', cboe('Russell 1000 Growth')),
  fact('VIX', 'VIX', 'european', 'am', cboe('VIX')),
  fact('VIXW', 'VIX', 'european', 'am', cboe('VIX weeklys')),
  fact('RVX', 'RVX', 'european', 'am', cboe('RVX')),
  fact('MXEA', 'MXEA', 'european', 'pm', cboe('MSCI EAFE')),
  fact('MXEF', 'MXEF', 'european', 'pm', cboe('MSCI Emerging Markets')),
  fact('CBTX', 'CBTX', 'european', 'am', bitcoin),
  fact('CBTXW', 'CBTX', 'european', 'pm', bitcoin),
  fact('MBTX', 'MBTX', 'european', 'am', bitcoin),
  fact('MBTXW', 'MBTX', 'european', 'pm', bitcoin),
  fact('NDX', 'NDX', 'european', 'am', nasdaq),
  fact('NDXP', 'NDX', 'european', 'pm', nasdaq),
  fact('XND', 'XND', 'european', 'pm', nasdaq),
  fact('BKX', 'BKX', 'european', 'am', 'ISE and PHLX, KBW Bank Index option specifications'),
  fact('XAU', 'XAU', 'american', 'pm', 'PHLX, Gold/Silver Sector option specifications'),
  ...['SIXB', 'SIXC', 'SIXE', 'SIXI', 'SIXM', 'SIXR', 'SIXRE', 'SIXT', 'SIXU', 'SIXV', 'SIXY'].map((root) =>
    fact(root, root, 'european', 'am', sectors),
  ),
]

/** Minis of 10 shares, listed from 2013-03-18 (Cboe, Mini Options contract specifications). Other roots with a digit are adjusted. */
export const usMiniRoots = { shares: 10, roots: ['AAPL7', 'AMZN7', 'GLD7', 'GOOG7', 'SPY7'] } as const
