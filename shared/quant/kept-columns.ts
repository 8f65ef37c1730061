/**
 * Returns a function that gives columns of at least so many entries, the same ones every time until they have to grow. An
 * array made anew for every expiry costs more than what is computed in it. What is in them is left from before, and they
 * belong to one caller until it asks again: a pass runs to its end before anything else can.
 */
export function keptColumns<const Name extends string>(
  ...names: readonly Name[]
): (length: number) => Readonly<Record<Name, Float64Array>> {
  const create = (length: number) =>
    Object.fromEntries(names.map((name) => [name, new Float64Array(length)])) as Record<Name, Float64Array>
  let capacity = 0
  let columns = create(capacity)
  return (length) => {
    if (length > capacity) {
      capacity = 2 * length
      columns = create(capacity)
    }
    return columns
  }
}
