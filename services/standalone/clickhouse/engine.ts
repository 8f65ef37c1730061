import { Session as NativeSession } from 'chdb'
import { fromEngine } from './exceptions.ts'
import { quote } from './literals.ts'

/** What a query came to; chdb tells no more than this. */
export interface EngineResult {
  readonly bytes: Uint8Array
  readonly rows: number
  readonly rowBytes: number
  readonly elapsedSeconds: number
}

/** One connection to the engine: runs one statement after another, off the JavaScript thread. */
export interface EngineConnection {
  run(sql: string, format?: string): Promise<EngineResult>
  close(): void
}

export interface Engine extends Disposable {
  readonly version: string
  readonly timezone: string
  connect(): EngineConnection
  /** Asks the engine to end the queries whose `log_comment` is `marker`; how many it found. */
  kill(marker: string): Promise<number>
  /** Asks the engine to end every running query. */
  killAll(): Promise<void>
  /** Runs a statement on this server's own connection, the only one that may change the state of the server. */
  control(sql: string): Promise<EngineResult>
}

export interface EngineOptions {
  readonly dataDir: string
  /** Server settings in command-line form: `--name=value`. */
  readonly serverSettings: readonly string[]
}

/** Opens the data directory in this process. chdb allows one directory per process, and one process per directory. */
export async function openEngine({ dataDir, serverSettings }: EngineOptions): Promise<Engine> {
  const connect = (): EngineConnection => connection(new NativeSession(dataDir, { connectionArgs: serverSettings }))
  // Held as long as the engine lives: with its last connection the engine would close.
  const control = connect()
  const about = await control.run('SELECT version(), timezone()', 'TabSeparated')
  const [version = '', timezone = 'UTC'] = Buffer.from(about.bytes).toString('utf8').trim().split('\t')
  return {
    version,
    timezone,
    connect,
    async kill(marker) {
      const sql = `KILL QUERY WHERE Settings['log_comment'] = ${quote(marker)} ASYNC FORMAT TabSeparated`
      const { bytes } = await control.run(sql, 'TabSeparated')
      return Buffer.from(bytes).toString('utf8').split('\n').filter(Boolean).length
    },
    async killAll() {
      await control.run(`KILL QUERY WHERE query NOT LIKE 'KILL QUERY%' ASYNC FORMAT TabSeparated`)
    },
    control: (sql) => control.run(sql),
    [Symbol.dispose]() {
      control.close()
    },
  }
}

function connection(native: NativeSession): EngineConnection {
  return {
    async run(sql, format = 'TabSeparated') {
      try {
        const result = await native.queryAsync(sql, { format })
        const { rowsRead, bytesRead, elapsed } = result
        return { bytes: result.bytes(), rows: rowsRead, rowBytes: bytesRead, elapsedSeconds: elapsed }
      } catch (error) {
        throw fromEngine(error)
      }
    },
    close: () => native.close(),
  }
}
