/** What the cluster on one machine is made of: a program that runs, is started again when it ends unasked, and is stopped. */

export interface Part {
  readonly name: string;
  /** Where it listens, for people. */
  readonly address: string;
  readonly logFile: string;
  /** While it runs. */
  readonly pid: number | undefined;
  /** Resolves when it serves. Rejects when it does not come to that; then it is stopped. @throws LocalClusterError */
  start(): Promise<void>;
  /** In its own orderly way, and then by SIGKILL. Idempotent, at any moment; resolves when it has ended. */
  stop(): Promise<void>;
  /** At once. */
  kill(): void;
}

/** For the one who watches the terminal. */
export type Tell = (line: string) => void;

/** As a service manager does it. */
export const RESTART_MS = 2_000;
/** Until a program serves. */
export const START_MS_MAX = 60_000;
