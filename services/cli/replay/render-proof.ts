import type { ProofLine, ProofReport } from '../../../shared/model/replay.ts'
import { renderMissing, renderNotReproducible } from './render.ts'

/** A proof for a person; the last line is the verdict. With `all`, also the features that are the same. */
export function renderProof(report: ProofReport, all: boolean): string {
  const { alertId, message, inputs, parameters, stateBefore, alert, features, state } = report
  return [
    `alert ${alertId}${message === '' ? '' : `: ${message}`}`,
    ...(inputs.length === 0 ? [] : ['', 'inputs, newest first', ...inputs.map((id) => `  ${id}`)]),
    ...parameters.map((text) => `parameters of ${text}`),
    ...(stateBefore === '' ? [] : ['', 'state before it', ...renderState(stateBefore, all)]),
    ...renderLines('the alert', alert),
    ...renderLines('features of the chain', all ? features : features.filter(({ same }) => !same)),
    ...(features.length > 0 && !all ? [`  ${sameOf(features)} of ${features.length} features are the same`] : []),
    ...renderLines(
      'state after it',
      state.filter(({ same }) => !same),
    ),
    ...renderMissing(report.missing),
    ...renderNotReproducible(report.notReproducible),
    '',
    verdicts[report.verdict],
  ].join('\n')
}

const verdicts: Readonly<Record<ProofReport['verdict'], string>> = {
  proven: 'PROVEN: the same inputs give the same alert, the same features and the same state',
  differs: 'DIFFERS: what is stored is not what the inputs give',
  'inputs missing': 'INPUTS MISSING: it can be neither proven nor refuted',
  'not reproducible': 'NOT REPRODUCIBLE here: other code or parameters raised it',
}

const sameOf = (lines: readonly ProofLine[]): number => lines.filter(({ same }) => same).length

function renderLines(title: string, lines: readonly ProofLine[]): readonly string[] {
  if (lines.length === 0) return []
  const width = Math.max(...lines.map(({ name }) => name.length))
  const storedWidth = Math.min(44, Math.max(...lines.map(({ stored }) => stored.length)))
  return [
    '',
    `${title}: stored | derived again`,
    ...lines.map(({ name, stored, rederived, same }) => {
      // Twice the same long text says nothing more.
      const again = same && stored.length > storedWidth ? 'the same' : rederived
      return `  ${same ? ' ' : '!'} ${name.padEnd(width)}  ${stored.padEnd(storedWidth)} | ${again}`
    }),
  ]
}

/** What was remembered, a line each; the forwards of all expiries only when asked for. */
function renderState(text: string, all: boolean): readonly string[] {
  if (!text.startsWith('{')) return [`  ${text}`]
  const { carries, detectors, ...rest } = JSON.parse(text) as Readonly<Record<string, unknown>>
  const lines = { ...rest, ...(detectors as Readonly<Record<string, unknown>>) }
  const forwards = Array.isArray(carries) ? carries : []
  return [
    ...Object.entries(lines).map(([name, value]) => `  ${name} ${JSON.stringify(value)}`),
    ...(all ? forwards.map((each) => `  carry ${JSON.stringify(each)}`) : [`  carries of ${forwards.length} expiries`]),
  ]
}
