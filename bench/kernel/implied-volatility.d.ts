/** npm's `implied-volatility` 1.0.0 has no types. */
declare module 'implied-volatility' {
  const library: {
    getImpliedVolatility(
      price: number,
      spot: number,
      strike: number,
      years: number,
      rate: number,
      right: 'call' | 'put',
    ): number
  }
  export = library
}
