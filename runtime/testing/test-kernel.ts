import type { DurableOptions } from '../actor-ref.js';
import { type Address, Kernel, type KernelOptions } from '../kernel/kernel.js';
import { checkPlain } from './plain.js';

/** The kernel of a test system: its durable bodies are held to what arrives as it was sent. */
export class TestKernel extends Kernel {
  readonly #strict: boolean;

  constructor(options: KernelOptions, strict: boolean) {
    super(options);
    this.#strict = strict;
  }

  override async tellDurably(address: Address, body: unknown, options: DurableOptions): Promise<string> {
    if (this.#strict) checkPlain(body);
    return super.tellDurably(address, body, options);
  }
}
