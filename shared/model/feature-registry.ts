/**
 * Every feature: its column, unit, stored scale, formula with its source, and what it needs at least. The tables' columns,
 * the rounding before rows and detectors, and docs/features.md are made from this file.
 */
export interface FeatureSpec {
  /** In `expiry_features_v1` or `chain_features_v1`. */
  readonly column: string
  readonly kind: 'count' | 'float'
  readonly unit: string
  /** Stored at so many decimals; detectors read the same, so that a replay reads the same. */
  readonly decimals: number
  /** How it is made and after whom, in one line. */
  readonly formula: string
  /** Null below this. */
  readonly minimum: string
  /** Which columns count what went into it. */
  readonly counts: CountColumns | null
}

interface CountColumns {
  readonly used: string
  readonly total: string
  /** 0..100. */
  readonly quality: string
}

type Scale = Pick<FeatureSpec, 'kind' | 'unit' | 'decimals'>
const scales = {
  count: { kind: 'count', unit: 'contracts', decimals: 0 },
  strikes: { kind: 'count', unit: 'strikes', decimals: 0 },
  findings: { kind: 'count', unit: 'findings', decimals: 0 },
  tests: { kind: 'count', unit: 'tests', decimals: 0 },
  whole: { kind: 'float', unit: 'contracts', decimals: 0 },
  price: { kind: 'float', unit: 'price', decimals: 4 },
  money: { kind: 'float', unit: 'currency of the underlying', decimals: 2 },
  shares: { kind: 'float', unit: 'units of the underlying per 1.00 of spot', decimals: 6 },
  volatility: { kind: 'float', unit: 'fraction per sqrt(year)', decimals: 6 },
  variance: { kind: 'float', unit: 'fraction^2 per year', decimals: 8 },
  points: { kind: 'float', unit: 'vol points', decimals: 3 },
  rate: { kind: 'float', unit: 'fraction per year, continuous', decimals: 6 },
  ratio: { kind: 'float', unit: 'ratio', decimals: 4 },
  percent: { kind: 'float', unit: 'percent', decimals: 4 },
  flag: { kind: 'float', unit: '0 no, 1 yes', decimals: 0 },
  score: { kind: 'float', unit: '0..100', decimals: 1 },
} as const satisfies Record<string, Scale>

const families = {
  forward: { used: 'forward_n_used', total: 'n_strikes', quality: 'forward_quality' },
  volatility: { used: 'n_used', total: 'n_strikes', quality: 'quality' },
  variance: { used: 'variance_n_used', total: 'variance_n_total', quality: 'variance_quality' },
  volume: { used: 'volume_n_used', total: 'n_contracts', quality: 'volume_quality' },
  openInterest: { used: 'open_interest_n_used', total: 'n_contracts', quality: 'open_interest_quality' },
  exposure: { used: 'exposure_n_used', total: 'n_contracts', quality: 'exposure_quality' },
  arbitrage: { used: 'arbitrage_n_used', total: 'arbitrage_n_total', quality: 'arbitrage_quality' },
} as const satisfies Record<string, CountColumns>

const counted =
  (family: keyof typeof families) =>
  (column: string, scale: keyof typeof scales, formula: string, minimum: string): FeatureSpec => ({
    column,
    ...scales[scale],
    formula,
    minimum,
    counts: families[family],
  })

/** A count or a quality: it goes with others and has no counts of its own. */
const plain = (column: string, scale: keyof typeof scales, formula: string, minimum = '-'): FeatureSpec => ({
  column,
  ...scales[scale],
  formula,
  minimum,
  counts: null,
})

const forward = counted('forward')
const volatility = counted('volatility')
const variance = counted('variance')
const volume = counted('volume')
const openInterest = counted('openInterest')
const exposure = counted('exposure')
const arbitrage = counted('arbitrage')

/** The same for an expiry and for all of them pooled. */
const positioning = {
  callVolume: volume(
    'call_volume',
    'whole',
    'sum of the session’s call volume; a last trade before the session counts 0',
    '1 contract of that right with a volume',
  ),
  putVolume: volume('put_volume', 'whole', 'the same of puts', '1 contract of that right with a volume'),
  pcrVolume: volume('pcr_volume', 'ratio', 'put volume / call volume', '200 calls'),
  callPremium: volume(
    'call_premium',
    'money',
    'sum of volume x price x multiplier, price = mid of a live quote, else last',
    '1 call whose volume and, where traded, price is known',
  ),
  putPremium: volume(
    'put_premium',
    'money',
    'the same of puts',
    '1 put whose volume and, where traded, price is known',
  ),
  pcrPremium: volume('pcr_premium', 'ratio', 'put premium / call premium', '200 calls'),
  volumeNUsed: plain('volume_n_used', 'count', 'contracts with a volume'),
  volumeQuality: plain(
    'volume_quality',
    'score',
    '100 x share of contracts whose volume is known and not of an earlier session',
  ),
  callOpenInterest: openInterest(
    'call_open_interest',
    'whole',
    'sum of call open interest',
    '1 contract of that right with open interest',
  ),
  putOpenInterest: openInterest(
    'put_open_interest',
    'whole',
    'sum of put open interest',
    '1 contract with open interest',
  ),
  pcrOi: openInterest('pcr_oi', 'ratio', 'put open interest / call open interest', '1,000 calls'),
  maxPain: openInterest(
    'max_pain',
    'price',
    'argmin over strikes x of sum OI_c max(x-K,0) + OI_p max(K-x,0); lowest on a tie',
    '1 contract with open interest',
  ),
  openInterestNUsed: plain('open_interest_n_used', 'count', 'contracts with open interest known, 0 included'),
  openInterestQuality: plain('open_interest_quality', 'score', '100 x share of contracts whose open interest is known'),
  gexUsd1pct: exposure(
    'gex_usd_1pct',
    'money',
    'sum of s gamma OI M S^2 0.01: delta per 1 % move, s = +1 call, -1 put (dealers long calls, short puts; SqueezeMetrics 2017)',
    '1 strike with gamma and open interest',
  ),
  gexShares: exposure('gex_shares', 'shares', 'sum of s gamma OI M', 'as gex_usd_1pct'),
  gexAbsUsd1pct: exposure(
    'gex_abs_usd_1pct',
    'money',
    'sum of gamma OI M S^2 0.01, calls and puts both plus',
    'as gex_usd_1pct',
  ),
  dexUsd: exposure(
    'dex_usd',
    'money',
    'sum of delta OI M S, the holders’ side: calls plus, puts minus by their delta',
    'as gex_usd_1pct',
  ),
  vexUsd: exposure('vex_usd', 'money', 'sum of s vanna OI M S: delta in currency per vol point', 'as gex_usd_1pct'),
  cexUsd: exposure(
    'cex_usd',
    'money',
    'sum of s charm OI M S: delta in currency lost within a calendar day, or until expiry where that is sooner (linear), forward held fixed',
    'as gex_usd_1pct',
  ),
  exposureNUsed: plain('exposure_n_used', 'count', 'contracts with gamma and open interest known'),
  exposureQuality: plain('exposure_quality', 'score', '100 x share of the open interest that has a gamma'),
  verticalArbitrage: arbitrage(
    'vertical_arbitrage',
    'findings',
    'neighbouring strikes with an ask: Cb(K2) > Ca(K1), or Cb(K1) - Ca(K2) > D dK (American: dK), and puts alike',
    '2 strikes with quotes',
  ),
  butterflyArbitrage: arbitrage(
    'butterfly_arbitrage',
    'findings',
    'neighbouring strikes with an ask: Cb(K2) > w Ca(K1) + (1-w) Ca(K3), and puts alike',
    '3 strikes with quotes',
  ),
  parityArbitrage: arbitrage(
    'parity_arbitrage',
    'findings',
    'European: Cb - Pa > D(Fa-K) or D(Fb-K) > Ca - Pb, Fb and Fa the median synthetic bid and ask of the tighter half of near pairs; American, neighbouring pairs (box): (Cb - Pa)(K2) - (Ca - Pb)(K1) + min(1,D) dK > 0',
    'European: 3 pairs near the money; American: 2 pairs',
  ),
  worstArbitrage: arbitrage(
    'worst_arbitrage',
    'price',
    'largest executable edge per unit of the underlying, before fees; 0 when none; a chain’s includes calendars',
    '1 test made',
  ),
  midViolations: arbitrage(
    'mid_violations',
    'findings',
    'butterflies and verticals negative at mids: noise, a measure of quality',
    '3 strikes with quotes',
  ),
  arbitrageNUsed: plain('arbitrage_n_used', 'tests', 'tests made at executable prices'),
  arbitrageNTotal: plain('arbitrage_n_total', 'tests', 'tests the listed strikes would allow'),
  arbitrageQuality: plain('arbitrage_quality', 'score', '100 x tests made / tests allowed'),
} as const satisfies Record<string, FeatureSpec>

export const expiryFeatureSpecs = {
  yearsToExpiry: {
    ...plain('years_to_expiry', 'ratio', '(expiry instant - market time) / 31,536,000 s'),
    unit: 'years of 365 days',
    decimals: 10,
  },
  nContracts: plain('n_contracts', 'count', 'unexpired, standard deliverable'),
  nStrikes: plain('n_strikes', 'strikes', 'of these contracts'),
  nUsed: plain('n_used', 'strikes', 'with an IV of their own, which is the out-of-the-money leg’s'),
  quality: plain(
    'quality',
    'score',
    '100 x m/n x m/(m + 2) x (1 + forward quality / 100) / 2, m of the n strikes within max(1 %, 1.5 atmIv sqrt(T)) of F with an IV; at most the forward quality where forward_source is not parity; 0 without an ATM IV or such a strike',
  ),
  rate: plain('rate', 'rate', 'zero rate of the curve at T; D = e^(-rate T)'),
  forward: forward(
    'forward',
    'price',
    'weighted median of K + (C-P)/D near the money, weights 1/max(sum of spreads, half its median)^2, none above a third of all; forward_source says what stands in for it',
    '3 pairs that differ by less than max(1 %, 0.05 sigma sqrt T) of F',
  ),
  carry: forward('carry', 'rate', 'ln(F/S)/T', 'as forward'),
  dividendYield: forward('dividend_yield', 'rate', 'rate - carry: dividends and borrow', 'as forward'),
  forwardCorrection: forward(
    'forward_correction',
    'price',
    'added to the median for early exercise of both legs; only with the method american, 0 where it cannot be told',
    '3 pairs',
  ),
  forwardNUsed: plain('forward_n_used', 'strikes', 'pairs in the median'),
  forwardQuality: plain(
    'forward_quality',
    'score',
    'from parity 100 x (1 - weighted MAD / (F max(1 %, 0.05 sigma sqrt T))) x min(1, effective pairs / 5), a quarter of it where |ln(F/S)| > max(3 %, 0.5 T); 50 carry of earlier in the session, 25 neighbour expiry, 0 spot',
  ),
  atmIv: volatility(
    'atm_iv',
    'volatility',
    'total variance linear in ln(K/F) between the two OTM strikes around F, at 0',
    '1 strike on either side, no farther apart than max(5 %, 2 atmIv sqrt T), or one at F',
  ),
  atmIvBiasVp: volatility(
    'atm_iv_bias_vp',
    'points',
    'early exercise premium / vega of the strike with an IV nearest F, boundary by QD+ (Li 2010); 0 for European roots',
    'as atm_iv',
  ),
  atmHalfSpreadVp: volatility(
    'atm_half_spread_vp',
    'points',
    'half spread / vega of the out-of-the-money leg of the strike with an IV nearest F',
    'as atm_iv',
  ),
  rr25: volatility(
    'rr25',
    'volatility',
    'IV of the 25-delta call - IV of the 25-delta put, linear in N(d1) between OTM strikes, at 0.25 and 0.75; skew25 = -rr25',
    'a strike on either side of each delta, no farther apart in ln K than 1 sigma sqrt(T), sigma the lower IV of the two',
  ),
  bf25: volatility('bf25', 'volatility', '(IV25c + IV25p)/2 - atm_iv', 'as rr25'),
  rr10: volatility('rr10', 'volatility', 'as rr25 at 10 delta', 'as rr25'),
  bf10: volatility('bf10', 'volatility', 'as bf25 at 10 delta', 'as rr25'),
  normalisedSkew: volatility('normalised_skew', 'ratio', 'rr25 / atm_iv', 'as rr25'),
  skewSlope: volatility(
    'skew_slope',
    'ratio',
    'd sigma / d ln(K/F) at 0, quadratic fit of sigma over x = ln(K/F)/(atmIv sqrt T), |x| <= 1, weights 1/(half spread^2 + 0.25^2) in vol points',
    '5 strikes within one sigma, on both sides of F',
  ),
  skewCurvature: volatility(
    'skew_curvature',
    'ratio',
    'd2 sigma / d ln(K/F)^2 at 0 of the same fit',
    '5 strikes within one sigma, on both sides of F',
  ),
  smirk: volatility(
    'smirk',
    'volatility',
    'IV of the OTM put with K/S nearest 0.95 - IV of the OTM call with K/S nearest 1 (Xing, Zhang, Zhao 2010)',
    'a put within 0.80..0.95 and a call within 0.95..1.05',
  ),
  varianceIndex: variance(
    'variance_index',
    'variance',
    'Cboe VIX methodology: (2/T) sum dK/K^2 e^(RT) Q(K) - (F/K0 - 1)^2 / T, K0 the largest strike <= F with both mids',
    '3 strikes with a put and a call beside K0, both legs quoted at K0',
  ),
  varianceComplete: variance(
    'variance_complete',
    'flag',
    'both wings end by two zero bids (an ask, no bid), with no missing or crossed quote since the last bid, and no hole of such quotes is wider in ln K than half of sqrt(variance T)',
    'as variance_index',
  ),
  varianceNUsed: plain('variance_n_used', 'strikes', 'strikes in the sum'),
  varianceNTotal: plain('variance_n_total', 'strikes', 'strikes listed'),
  varianceQuality: plain(
    'variance_quality',
    'score',
    '100 x share of the strikes between the zero bids that end the wings, or the ends of the listing, that are in the sum; halved where variance_complete is 0',
  ),
  straddle: volatility('straddle', 'price', 'call mid + put mid at the strike nearest F, within 5 % of it', '1 pair'),
  expectedMove: volatility('expected_move', 'price', 'F atmIv sqrt(T): one standard deviation to expiry', 'as atm_iv'),
  expectedMoveStraddle: volatility(
    'expected_move_straddle',
    'price',
    '0.85 x straddle, the traders’ rule',
    'as straddle',
  ),
  ...positioning,
} as const satisfies Record<string, FeatureSpec>

const atMaturity = (column: string, days: number): FeatureSpec =>
  volatility(
    column,
    'volatility',
    `atm_iv^2 T linear in T between expiries, at ${days} days; flat within 20 % of it, never extrapolated`,
    'an expiry on either side, or one within 20 %',
  )

/** In the row of a chain `n_contracts` counts dead contracts too. */
function overLive<Specs extends Readonly<Record<string, FeatureSpec>>>(specs: Specs): Specs {
  const entries = Object.entries(specs).map(([name, spec]) => {
    const isTotal = spec.counts?.total === 'n_contracts'
    return [name, isTotal ? { ...spec, counts: { ...spec.counts, total: 'n_live' } } : spec]
  })
  return Object.fromEntries(entries) as Specs
}

export const chainFeatureSpecs = overLive({
  nContracts: plain('n_contracts', 'count', 'all, expired and adjusted ones included'),
  nLive: plain('n_live', 'count', 'unexpired, standard deliverable: those the figures are of'),
  nExpired: plain('n_expired', 'count', 'expired at market time; part of no figure'),
  nAdjusted: plain('n_adjusted', 'count', 'deliverable changed by a corporate action; part of no figure'),
  nStrikes: plain('n_strikes', 'strikes', 'of all expiries, each counted in each'),
  nUsed: plain('n_used', 'strikes', 'with an IV of their own'),
  quality: plain('quality', 'score', 'quality of the expiries weighted by their contracts'),
  nTwoSided: plain('n_two_sided', 'count', '0 < bid < ask'),
  nOneSided: plain('n_one_sided', 'count', 'a bid or an ask, not both'),
  nLocked: plain('n_locked', 'count', 'bid = ask > 0'),
  nCrossed: plain('n_crossed', 'count', 'bid > ask > 0'),
  nUnquoted: plain('n_unquoted', 'count', 'neither bid nor ask'),
  nStaleVolume: plain('n_stale_volume', 'count', 'with a volume whose last trade lies before the session'),
  medianSpreadPct: plain(
    'median_spread_pct',
    'percent',
    '100 (ask - bid) / mid, median of two-sided contracts',
    '1 two-sided contract',
  ),
  quoteQuality: plain(
    'quote_quality',
    'score',
    '100 x share of the strikes between the lowest and the highest with an IV, expiry by expiry, that have one',
    '1 strike with an IV',
  ),
  atmIv7d: atMaturity('atm_iv_7d', 7),
  atmIv30d: atMaturity('atm_iv_30d', 30),
  atmIv60d: atMaturity('atm_iv_60d', 60),
  atmIv90d: atMaturity('atm_iv_90d', 90),
  atmIv180d: atMaturity('atm_iv_180d', 180),
  atmIv365d: atMaturity('atm_iv_365d', 365),
  atmIvFront: volatility(
    'atm_iv_front',
    'volatility',
    'atm_iv of the nearest expiry at least 1 day away that has one',
    '1 such expiry',
  ),
  rr25At30d: volatility(
    'rr25_30d',
    'volatility',
    'rr25 linear in T between expiries, at 30 days',
    'an expiry on either side, or one within 20 %',
  ),
  bf25At30d: volatility('bf25_30d', 'volatility', 'bf25 linear in T between expiries, at 30 days', 'as rr25_30d'),
  termSlope: volatility('term_slope', 'ratio', '(atm_iv_90d - atm_iv_30d) / atm_iv_30d', 'both'),
  termInverted: volatility(
    'term_inverted',
    'flag',
    'atm_iv(T1) > atm_iv(T2) + both half spreads in vol points, first two days of expiry beyond 5 days with both figures',
    'two such days',
  ),
  negativeForwardVariance: volatility(
    'negative_forward_variance',
    'findings',
    'neighbouring expiries of a root with an ATM IV whose total variance falls, at mids',
    '2 expiries',
  ),
  varianceIndex30d: variance(
    'volatility_index_30d',
    'volatility',
    'square root of variance_index at 30 days, weights in minutes as Cboe VIX',
    'an expiry on either side of 30 days',
  ),
  varianceComplete30d: variance(
    'variance_complete_30d',
    'flag',
    'both terms complete and between 23 and 37 days, as Cboe VIX asks',
    'as volatility_index_30d',
  ),
  varianceNUsed: plain('variance_n_used', 'strikes', 'strikes in both sums'),
  varianceNTotal: plain('variance_n_total', 'strikes', 'strikes listed of both'),
  varianceQuality: plain('variance_quality', 'score', 'the lower of both'),
  expectedMove: volatility('expected_move', 'price', 'expected_move of the expiry of atm_iv_front', 'as atm_iv_front'),
  expectedMove1d: volatility('expected_move_1d', 'price', 'S atm_iv_30d / sqrt(252)', 'atm_iv_30d'),
  expectedMoveStraddle: volatility(
    'expected_move_straddle',
    'price',
    'expected_move_straddle of the expiry of atm_iv_front',
    'as atm_iv_front',
  ),
  ...positioning,
  calendarArbitrage: arbitrage(
    'calendar_arbitrage',
    'findings',
    'neighbouring expiries of a root at the same K/F: bid/(D F) at T1 > ask/(D F) at T2, price linear between strikes (total variance falls, executably); American: bid at T1 > ask at T2 at the same strike',
    '2 expiries',
  ),
  zeroGamma: exposure(
    'zero_gamma',
    'price',
    'root nearest spot of G(x) = sum s gamma(x) OI M x^2 0.01 over 0.8 S..1.2 S, IV by strike held (perfiliev.com); null without a root',
    'gex_usd_1pct',
  ),
  gammaRegime: exposure(
    'gamma_regime',
    'ratio',
    '(S - zero_gamma) / S; without a root +1 or -1, the sign of G throughout',
    'gex_usd_1pct',
  ),
  flipCumulative: exposure(
    'flip_cumulative',
    'price',
    'strike where the running sum of GEX over ascending strikes changes sign, nearest spot, linear between strikes; among strikes of 0 in between the place nearest spot',
    'gex_usd_1pct',
  ),
  flipLocal: exposure(
    'flip_local',
    'price',
    'nearest spot between neighbouring strikes whose own GEX differ in sign, linear between them',
    'gex_usd_1pct',
  ),
  callWall: exposure(
    'call_wall',
    'price',
    'strike of the largest gamma exposure of calls; the lowest on a tie',
    'gex_usd_1pct',
  ),
  putWall: exposure(
    'put_wall',
    'price',
    'strike of the largest gamma exposure of puts; the lowest on a tie',
    'gex_usd_1pct',
  ),
  absGammaStrike: exposure(
    'abs_gamma_strike',
    'price',
    'strike of the largest gamma exposure, calls and puts both plus; the lowest on a tie',
    'gex_usd_1pct',
  ),
  highestOiStrike: openInterest(
    'highest_oi_strike',
    'price',
    'strike of the largest open interest, calls and puts',
    '1 contract with open interest',
  ),
  zeroDteMagnet: exposure(
    'zero_dte_magnet',
    'price',
    'the same among the contracts that expire on the session’s day',
    '1 such strike',
  ),
})

export type ExpiryFeatureName = keyof typeof expiryFeatureSpecs
export type ChainFeatureName = keyof typeof chainFeatureSpecs
