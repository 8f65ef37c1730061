import { type ChainColumns, rights } from '../../../../shared/model/snapshot.ts'
import { type SessionBook, spotAt, volShiftAt } from './book.ts'
import { modelPrice, toTick, yearS } from './smile.ts'
import { stepMsOf } from './trading-time.ts'

/** Writes volume so far and the last trade of each contract at a step. */
export function fillTrades(book: SessionBook, step: number, columns: ChainColumns): void {
  for (let row = 0; row < book.length; row++) {
    const traded = tradedBy(book, row, step)
    columns.volume[row] = traded
    if (traded === 0) {
      columns.last[row] = book.previousLast[row] as number
      columns.lastTradeAtS[row] = book.previousLastAtS[row] as number
    } else {
      const at = stepOfTrade(book, row, step, traded)
      columns.last[row] = priceOfTrade(book, row, at)
      columns.lastTradeAtS[row] = secondOfTrade(book, row, at, traded)
    }
  }
  for (const block of book.blocks) {
    if (block.step > step) continue
    columns.volume[block.row] = (columns.volume[block.row] as number) + block.contracts
    const atS = stepMsOf(book.session, block.step) / 1000 - 1
    if (block.contracts > 0 && !((columns.lastTradeAtS[block.row] as number) > atS)) {
      columns.last[block.row] = priceOfTrade(book, block.row, block.step)
      columns.lastTradeAtS[block.row] = atS
    }
  }
}

/** Whole contracts traded by the end of a step: never falls, because its flow never does. */
function tradedBy({ flow, path, sessionVolume, phase }: SessionBook, row: number, step: number): number {
  const share = (path.flows[flow[row] as number] as Float32Array)[step] as number
  return Math.floor((sessionVolume[row] as number) * share + (phase[row] as number))
}

/** The first step by which `traded` had been reached. */
function stepOfTrade(book: SessionBook, row: number, step: number, traded: number): number {
  if (tradedBy(book, row, step - 1) < traded) return step
  let low = 1
  let high = step - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (tradedBy(book, row, middle) >= traded) high = middle
    else low = middle + 1
  }
  return low
}

/** When within its step the contract crossed to `traded`, whole seconds. */
function secondOfTrade(
  { flow, path, sessionVolume, phase, session }: SessionBook,
  row: number,
  step: number,
  traded: number,
): number {
  const shares = path.flows[flow[row] as number] as Float32Array
  const before = shares[step - 1] as number
  const crossed = (traded - (phase[row] as number)) / (sessionVolume[row] as number)
  const part = Math.min(1, Math.max(0, (crossed - before) / ((shares[step] as number) - before)))
  return Math.floor((stepMsOf(session, step - 1) + part * session.stepMs) / 1000)
}

/** The model's price at the step of the trade; it stays what it was until the next trade. */
function priceOfTrade(book: SessionBook, row: number, step: number): number {
  const { profile, path, session, events } = book
  const point = {
    spot: spotAt(profile, path.logSpot[step] as number),
    logLevel: path.logLevel[step] as number,
    volShift: volShiftAt(events, step),
  }
  const contract = {
    strike: book.strike[row] as number,
    isCall: book.right[row] === rights.call,
    years: Math.max(60, (book.expiryAtS[row] as number) - stepMsOf(session, step) / 1000) / yearS,
  }
  return toTick(profile, modelPrice(profile, point, contract))
}
