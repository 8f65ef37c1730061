import { randomBytes } from 'node:crypto'
import { createLogger } from '../../shared/runtime/logger.ts'
import { runService } from '../../shared/runtime/run-service.ts'
import { composeCollector } from './compose.ts'
import { readConfig } from './config.ts'

const config = readConfig(process.env)
const log = createLogger({ service: 'collector', level: config.log.level })
const boot = randomBytes(4).toString('hex')

process.exitCode = await runService(log, (composition) => composeCollector(config, log, composition, { boot }))
