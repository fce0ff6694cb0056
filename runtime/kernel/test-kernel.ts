/** A kernel for tests: alone, and on the clock that it is given. */
import { systemClock } from '../clock.js';
import { silentLogger } from '../logger.js';
import { DEFAULT_RETRY } from '../retry.js';
import { Kernel, type KernelOptions } from './kernel.js';

export function testKernel(options: Partial<KernelOptions> = {}): Kernel {
  return new Kernel({
    clock: systemClock,
    random: Math.random,
    retry: DEFAULT_RETRY,
    receiveMsMax: 300_000,
    waitingMax: 1_000_000,
    logger: silentLogger,
    transport: undefined,
    onEvent: () => {},
    id: 0,
    ...options,
  });
}
