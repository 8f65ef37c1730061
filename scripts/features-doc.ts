import { chainFeatureSpecs, expiryFeatureSpecs, type FeatureSpec } from '../shared/model/feature-registry.ts'

const scopes: readonly (readonly [title: string, table: string, specs: Readonly<Record<string, FeatureSpec>>])[] = [
  ['Of an expiry', 'expiry_features_v1', expiryFeatureSpecs],
  ['Of a chain', 'chain_features_v1', chainFeatureSpecs],
]

/** Renders docs/features.md from the registry. */
export function renderFeaturesDoc(): string {
  return [
    '# Features',
    '',
    'Made from `shared/model/feature-registry.ts` by `npm run docs`; change the registry, not this page.',
    '',
    'Notation: S spot, F forward, D discount factor, K strike, T years of 365 days, k = ln(K/F), Cb, Ca, Pb, Pa bids and asks',
    'of calls and puts, OI open interest, M multiplier, s = +1 for calls and -1 for puts. How each is computed: [numerics](numerics.md).',
    '',
    'A figure is null where its minimum is not met, never 0. "Used, total, quality" names the columns that say what went into it;',
    'quality is 0..100. Expired contracts and those with an adjusted deliverable take part in no figure.',
    '',
    ...scopes.flatMap(([title, table, specs]) => [
      `## ${title}: \`${table}\``,
      '',
      '| column | unit | decimals | formula | minimum | used, total, quality |',
      '| --- | --- | --- | --- | --- | --- |',
      ...Object.values(specs).map(featureRow),
      '',
    ]),
  ].join('\n')
}

function featureRow({ column, unit, decimals, formula, minimum, counts }: FeatureSpec): string {
  const counted =
    counts === null ? '' : [counts.used, counts.total, counts.quality].map((name) => `\`${name}\``).join(' ')
  const cells = [`\`${column}\``, unit, String(decimals), formula, minimum, counted]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
