import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { erfcxShape, erfcxTable } from './quant-tables/erfcx-table.ts'
import { lognormalPolynomial, polynomialShapes } from './quant-tables/lognormal-polynomials.ts'
import { fingerprintPath, fingerprints } from './quant-tables/fingerprints.ts'
import { seedShape, seedTable } from './quant-tables/seed-table.ts'

/*
 * Writes the constants of shared/quant/kernel. Run it by hand after a change (`npm exec -c 'node scripts/generate-quant-tables.ts'`,
 * some ten seconds). The files are committed with a hash of each and of the generator; a test compares the hashes, and
 * `npm run test:deep` makes the tables again.
 */

const root = new URL('..', import.meta.url)

export interface GeneratedFile {
  readonly path: string
  /** Source text before prettier. */
  readonly text: string
}

const note = '/** Made by scripts/generate-quant-tables.ts; do not edit. */'

const list = (values: readonly number[]): string => `[${values.join(', ')}]`

export function erfcxFile(): GeneratedFile {
  const { shift, numerator, intervals, terms } = erfcxShape
  return {
    path: 'shared/quant/kernel/erfcx-table.ts',
    text: `${note}
export const erfcxShape = { shift: ${shift}, numerator: ${numerator}, intervals: ${intervals}, terms: ${terms} } as const

/**
 * erfcx(x) for x > ${numerator - shift} to one unit in the last place, as polynomials of y = ${numerator} / (${shift} + x) in ${intervals} equal intervals. For each
 * its centre x0, 1 / (${shift} + x0), and the coefficients in t = ${intervals} (y - y0), constant term first.
 */
export const erfcxTable = new Float64Array(${list(erfcxTable())})
`,
  }
}

export function seedFile(): GeneratedFile {
  const { octaves, intervalsPerOctave, terms } = seedShape
  return {
    path: 'shared/quant/kernel/seed-table.ts',
    text: `${note}
export const seedShape = { octaves: ${octaves}, intervalsPerOctave: ${intervalsPerOctave}, terms: ${terms} } as const

/**
 * Normal volatility over straddle as a function of w = 1 + d/p: cubics for the intervals that the exponent and the top two
 * mantissa bits of w name, in t = (w - left) / width - 1/2, constant term first.
 */
export const seedTable = new Float64Array(${list(seedTable())})
`,
  }
}

export function polynomialFile(): GeneratedFile {
  return {
    path: 'shared/quant/kernel/lognormal-polynomials.ts',
    text: `${note}
${polynomialText('near')}
${polynomialText('wide')}`,
  }
}

function polynomialText(name: keyof typeof polynomialShapes): string {
  const shape = polynomialShapes[name]
  const { coefficients, worst } = lognormalPolynomial(shape)
  const rows = Array.from({ length: shape.powersOfY }, (_, i) =>
    coefficients.slice(i * shape.powersOfX, (i + 1) * shape.powersOfX),
  )
  return `export const ${name}Box = { highestY2: ${shape.highestY}, highestX2: ${shape.highestX} } as const

/**
 * Lognormal over normal volatility in the box, y2 and x2 the squares of normal volatility and log-moneyness. Largest relative
 * error, weighted by (1 + u^2)^(3/4): ${worst.toExponential(1)}.
 */
export function ${name}Ratio(y2: number, x2: number): number {
${rows.map((row, i) => `const row${i} = ${horner(row.map(String), 'x2')}`).join('\n')}
return ${horner(
    rows.map((_, i) => `row${i}`),
    'y2',
  )}
}
`
}

function horner(coefficients: readonly string[], variable: string): string {
  const [first = '0', ...rest] = coefficients
  return rest.length === 0 ? first : `${first} + ${variable} * (${horner(rest, variable)})`
}

/** As it lies in the repository. */
export async function formatted({ path, text }: GeneratedFile): Promise<string> {
  return format(text, { ...(await resolveConfig(new URL(path, root).pathname)), parser: 'typescript' })
}

export const generators = [erfcxFile, seedFile, polynomialFile] as const

if (import.meta.main) {
  for (const make of generators) {
    const file = make()
    writeFileSync(new URL(file.path, root), await formatted(file))
  }
  writeFileSync(new URL(fingerprintPath, root), `${JSON.stringify(fingerprints(), null, 2)}\n`)
}
