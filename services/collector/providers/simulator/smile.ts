import { emptyPrice, priceStrike, type StrikePrice } from './black.ts'
import type { UnderlyingProfile } from './universe.ts'

/** The risk-free rate of the simulated market, continuously compounded. */
export const riskFreeRate = 0.04
/** Time to expiry is counted in calendar time, as the exchange's own figures do. */
export const yearS = 365 * 86_400

/** One expiry at one moment: what all its strikes share. Refilled instead of made anew. */
export interface ExpiryFrame {
  years: number
  sqrtYears: number
  forward: number
  discount: number
  /** At-the-money vol of this expiry, without any event. */
  atmVol: number
  /** Turns log-moneyness into standard deviations. */
  inverseDeviation: number
  /** Of a running event; parallel, a fraction. */
  volShift: number
}

export interface MarketPoint {
  readonly spot: number
  readonly logLevel: number
  readonly volShift: number
}

export const emptyFrame = (): ExpiryFrame => ({
  years: 0,
  sqrtYears: 0,
  forward: 0,
  discount: 1,
  atmVol: 0,
  inverseDeviation: 0,
  volShift: 0,
})

const termScaleYears = 0.25
const monthYears = 30 / 365
/** Below half a day the smile keeps its width in strikes, or wings a percent away would lie ten deviations out. */
const minSmileYears = 0.5 / 365
/** Beyond so many standard deviations the wings go flat. */
const wingDeviations = 3.5

export function fillFrame(frame: ExpiryFrame, profile: UnderlyingProfile, point: MarketPoint, years: number): void {
  const term = Math.exp(-years / termScaleYears) - Math.exp(-monthYears / termScaleYears)
  frame.years = years
  frame.sqrtYears = Math.sqrt(years)
  frame.forward = point.spot * Math.exp((riskFreeRate - profile.dividendYield) * years)
  frame.discount = Math.exp(-riskFreeRate * years)
  frame.atmVol = profile.baseVol * Math.exp(point.logLevel) * (1 + profile.termSlope * term)
  frame.inverseDeviation = 1 / (frame.atmVol * Math.sqrt(Math.max(years, minSmileYears)))
  frame.volShift = point.volShift
}

/** Log-moneyness in standard deviations, bent flat in the wings; `moneyness` is ln(forward / strike). */
export function bentDeviations(frame: ExpiryFrame, moneyness: number): number {
  const x = -moneyness * frame.inverseDeviation
  return x / Math.sqrt(1 + (x * x) / (wingDeviations * wingDeviations))
}

/** The smile: quadratic in standardised log-moneyness, shifted in parallel by an event. */
export function volAt(frame: ExpiryFrame, { skew, curvature }: UnderlyingProfile, deviations: number): number {
  return frame.atmVol * (1 + deviations * (skew + curvature * deviations)) + frame.volShift
}

const scratch: { readonly frame: ExpiryFrame; readonly price: StrikePrice } = {
  frame: emptyFrame(),
  price: emptyPrice(),
}

/** Model price of one contract at one moment. */
export function modelPrice(
  profile: UnderlyingProfile,
  point: MarketPoint,
  contract: { readonly strike: number; readonly isCall: boolean; readonly years: number },
): number {
  const { frame, price } = scratch
  fillFrame(frame, profile, point, contract.years)
  const moneyness = Math.log(frame.forward / contract.strike)
  const vol = volAt(frame, profile, bentDeviations(frame, moneyness))
  priceStrike(price, frame, contract.strike, moneyness, vol * frame.sqrtYears)
  return contract.isCall ? price.call : price.put
}

/** The tick at a price, as ticks per dollar: dividing by it gives the double nearest the decimal, multiplying by 0.05 does not. */
export const ticksAt = ({ ticksBelow3, ticksAbove3 }: UnderlyingProfile, price: number): number =>
  price < 3 ? ticksBelow3 : ticksAbove3

/** A trade's price: the nearest tick, one tick at least. */
export function toTick(profile: UnderlyingProfile, price: number): number {
  const ticks = ticksAt(profile, price)
  return Math.max(1, Math.round(price * ticks)) / ticks
}
