import { expect, test } from 'vitest'
import { framedFor } from './native-blocks.ts'
import { parseNativeType } from './native-types.ts'

const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
const info = Buffer.from([1, 0, 2, 255, 255, 255, 255, 0])

test('puts block info before each block and a serialisation byte before each column', () => {
  const head = Buffer.from([1, 2])
  const column = Buffer.concat([text('s'), text('String')])
  const data = Buffer.concat([text('ab'), text('')])
  const block = Buffer.concat([head, column, data])
  const framed = Buffer.concat([info, head, column, Buffer.from([0]), data])
  expect(Buffer.concat(framedFor(54_460, Buffer.concat([block, block])))).toEqual(Buffer.concat([framed, framed]))
})

test('leaves the serialisation byte out for an older client, and everything for revision 0', () => {
  const block = Buffer.concat([Buffer.from([1, 1]), text('a'), text('UInt8'), Buffer.from([7])])
  expect(Buffer.concat(framedFor(54_405, block))).toEqual(Buffer.concat([info, block]))
  expect(Buffer.concat(framedFor(0, block))).toEqual(block)
})

test.each([
  ['Decimal(18, 4)', { kind: 'fixed', bytes: 8 }],
  ["DateTime64(3, 'UTC')", { kind: 'fixed', bytes: 8 }],
  ["Enum8('a,)' = 1, 'it\\'s' = 2)", { kind: 'fixed', bytes: 1 }],
  ['FixedString(5)', { kind: 'fixed', bytes: 5 }],
  ['LowCardinality(Nullable(String))', { kind: 'lowCardinality', of: { kind: 'string' } }],
  ['SimpleAggregateFunction(max, Nullable(Int8))', { kind: 'nullable', of: { kind: 'fixed', bytes: 1 } }],
  [
    'Map(String, Array(UInt16))',
    {
      kind: 'array',
      of: { kind: 'tuple', of: [{ kind: 'string' }, { kind: 'array', of: { kind: 'fixed', bytes: 2 } }] },
    },
  ],
  ['Tuple(a Int32, `b c` String)', { kind: 'tuple', of: [{ kind: 'fixed', bytes: 4 }, { kind: 'string' }] }],
])('reads the type %s', (name, type) => {
  expect(parseNativeType(name)).toEqual(type)
})

test('refuses a type whose data it cannot walk over', () => {
  expect(() => parseNativeType('AggregateFunction(sum, UInt8)')).toThrow(/Code: 48/)
})
