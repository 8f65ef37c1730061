import { fc } from '@fast-check/vitest'
import { isDeep } from './size.ts'

/**
 * In `npm test` every property test draws the same cases on each run, so that a run fails because of a change and never by chance.
 * `npm run test:deep` draws new cases each time; fast-check prints the seed of a failure.
 */
if (!isDeep) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_260_622 })
