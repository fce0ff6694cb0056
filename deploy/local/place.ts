/**
 * What stands where in the directory of the cluster:
 *
 *     LOCK            held while it runs
 *     api-token       and further secrets, mode 0600: emp-token, emp-password, iban-key, redis-password, s3-secret-key
 *     endpoints.yaml  of the nodes
 *     gateway-1.env   what that node was given, mode 0600: for the doctor and tether golive
 *     haproxy.cfg
 *     log/NAME.log    what each process wrote, from the start of the cluster on
 *     run/NAME.pid    of what runs
 *     nodes/NAME/     the data directory of each node; nothing that matters is in it
 *     pgbouncer/  postgres/  redis/  s3/
 */
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { makeDirectory } from '../../storage/make-directory.js';
import type { Tell } from './part.js';
import { keptSecret } from './secrets.js';

export const SETTINGS_FILE = 'gateway-1.env';

export class Place {
  /** Absolute. */
  readonly directory: string;
  readonly #tell: Tell;

  constructor(directory: string, tell: Tell) {
    this.directory = directory;
    this.#tell = tell;
  }

  async make(): Promise<void> {
    for (const path of [this.directory, this.path('log'), this.path('run'), this.path('nodes')]) {
      await makeDirectory(path, 0o700);
    }
  }

  /** What a cluster that was killed has left in `run/`: its numbers are those of other processes by now. */
  async forgetProcesses(): Promise<void> {
    await rm(this.path('run'), { recursive: true, force: true });
    await makeDirectory(this.path('run'), 0o700);
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  /** As one would type it here. */
  shown(...names: string[]): string {
    const [absolute, near] = [this.path(...names), relative(process.cwd(), this.path(...names))];
    return near.startsWith('..') ? absolute : near;
  }

  secret(name: string): Promise<string> {
    return keptSecret(this.path(name));
  }

  /** Of the options of a program, what its name decides. */
  program(name: string): {
    readonly name: string;
    readonly logFile: string;
    readonly pidFile: string;
    readonly tell: Tell;
  } {
    return {
      name,
      logFile: this.path('log', `${name}.log`),
      pidFile: this.path('run', `${name}.pid`),
      tell: this.#tell,
    };
  }
}
