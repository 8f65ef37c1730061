/** Lot size of an NSE index for some expiries as seen on some days, both ranges with their ends, null for open. */
export interface LotRow {
  readonly root: string
  readonly lot: number
  readonly expiries: readonly [from: string | null, to: string | null]
  readonly days: readonly [from: string | null, to: string | null]
  readonly source: string
}

type Range = readonly [from: string | null, to: string | null]
const lot = (root: string, size: number, expiries: Range, days: Range, source: string): LotRow => ({
  root,
  lot: size,
  expiries,
  days,
  source,
})

const always: Range = [null, null]
const oct2018 = 'Zerodha bulletin of 2018-10-26, after the NSE circular'
const jul2020 = 'NSE circular as printed by Zerodha (Trading Q&A 82105)'
const mar2021 = 'NSE/FAOP/47854 of 2021-03-31'
const mar2023 = 'NSE circular of 2023-03-31, Mint of 2023-04-01'
const apr2024 = 'NSE circular of 2024-04-02, Zerodha bulletin 375282'
const launchNext50 = 'NSE contract specifications at the launch on 2024-04-24'
const oct2024 = 'NSE circular of 2024-10-18, Business Standard of 2024-10-19'
const mar2025 = 'NSE/FAOP/67372 of 2025-03-28'
const oct2025 = 'NSE/FAOP/70616 of October 2025'
const dump = 'Kite instruments of 2026-08-21'

/**
 * The first row that fits decides, so an exception stands before its rule. Weekly and monthly contracts keep the lot they
 * were listed with; quarterly ones change on a day. Stocks change twice a year and are not kept: take the provider's figure.
 */
export const nseLots: readonly LotRow[] = [
  lot('NIFTY', 75, [null, '2021-07-22'], ['2021-03-31', null], mar2021),
  lot('NIFTY', 75, ['2021-09-01', null], ['2021-03-31', '2021-06-24'], mar2021),
  lot('NIFTY', 50, ['2021-07-29', null], ['2021-04-30', '2024-04-25'], mar2021),
  lot('NIFTY', 25, ['2024-04-26', null], ['2024-04-26', '2024-11-19'], apr2024),
  lot('NIFTY', 25, ['2024-04-26', '2024-12-26'], ['2024-04-26', null], apr2024),
  lot('NIFTY', 25, ['2025-01-30', '2025-01-30'], always, oct2024),
  lot('NIFTY', 25, ['2025-03-01', null], ['2024-04-26', '2024-12-26'], oct2024),
  lot('NIFTY', 75, ['2024-12-27', '2025-12-30'], ['2024-11-20', null], oct2024),
  lot('NIFTY', 75, ['2026-03-01', null], ['2024-11-20', '2025-12-30'], oct2025),
  lot('NIFTY', 65, ['2025-12-31', '2026-12-29'], ['2025-10-29', null], `${oct2025}; ${dump}`),
  lot('NIFTY', 65, ['2026-12-30', null], ['2025-12-31', '2026-08-21'], dump),

  lot('BANKNIFTY', 20, [null, '2020-07-23'], ['2018-10-26', null], oct2018),
  lot('BANKNIFTY', 25, ['2020-07-30', '2023-07-20'], always, jul2020),
  lot('BANKNIFTY', 25, ['2023-09-01', null], ['2020-07-30', '2023-06-29'], mar2023),
  lot('BANKNIFTY', 15, ['2023-07-27', '2024-12-24'], ['2023-04-28', null], mar2023),
  lot('BANKNIFTY', 15, ['2024-12-25', null], ['2023-06-30', '2024-11-19'], mar2023),
  lot('BANKNIFTY', 15, ['2025-03-01', null], ['2024-11-20', '2024-12-24'], oct2024),
  lot('BANKNIFTY', 30, ['2025-02-01', '2025-06-26'], ['2024-11-20', null], oct2024),
  lot('BANKNIFTY', 30, ['2025-06-27', null], ['2024-12-25', '2025-04-24'], oct2024),
  lot('BANKNIFTY', 35, ['2025-06-27', '2025-12-30'], ['2025-04-25', null], mar2025),
  lot('BANKNIFTY', 35, ['2026-03-01', null], ['2025-04-25', '2025-12-30'], oct2025),
  lot('BANKNIFTY', 30, ['2025-12-31', '2026-12-29'], ['2025-10-29', null], `${oct2025}; ${dump}`),
  lot('BANKNIFTY', 30, ['2026-12-30', null], ['2025-12-31', '2026-08-21'], dump),

  lot('FINNIFTY', 40, [null, '2024-07-23'], ['2021-03-31', null], mar2021),
  lot('FINNIFTY', 25, ['2024-07-30', '2025-01-31'], always, apr2024),
  lot('FINNIFTY', 65, ['2025-02-01', '2025-12-30'], ['2024-11-20', null], oct2024),
  lot('FINNIFTY', 60, ['2025-12-31', '2026-12-29'], ['2025-10-29', null], `${oct2025}; ${dump}`),

  lot('MIDCPNIFTY', 75, [null, '2024-07-22'], ['2023-03-31', null], mar2023),
  lot('MIDCPNIFTY', 50, ['2024-07-29', '2025-01-31'], always, apr2024),
  lot('MIDCPNIFTY', 120, ['2025-02-01', '2025-06-26'], ['2024-11-20', null], oct2024),
  lot('MIDCPNIFTY', 140, ['2025-06-27', '2025-12-30'], ['2025-04-25', null], mar2025),
  lot('MIDCPNIFTY', 120, ['2025-12-31', '2026-12-29'], ['2025-10-29', null], `${oct2025}; ${dump}`),

  lot('NIFTYNXT50', 10, [null, '2025-01-31'], ['2024-04-24', null], launchNext50),
  lot('NIFTYNXT50', 25, ['2025-02-01', '2026-12-29'], ['2024-11-20', null], `${oct2024}; ${dump}`),

  lot('NIFTYFPI', 1100, ['2026-08-25', '2026-10-27'], ['2026-08-21', null], dump),
]
