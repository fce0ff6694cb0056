/**
 * The targets of a thread, which may change while it works: one whose settings are the same stays as it is, with its connections, limits and
 * breaker.
 */
import { isDeepStrictEqual } from 'node:util';
import { asError } from '../../runtime/failure.js';
import { Target, type TargetOutside } from './target.js';
import type { FilledTarget } from './target-settings.js';

export class Targets {
  readonly #outside: TargetOutside;
  #targets: ReadonlyMap<string, Target> = new Map();

  constructor(targets: readonly FilledTarget[], outside: TargetOutside) {
    this.#outside = outside;
    this.replace(targets);
  }

  get(name: string): Target | undefined {
    return this.#targets.get(name);
  }

  /** All at once. Requests under way end as they began. */
  replace(all: readonly FilledTarget[]): void {
    const before = this.#targets;
    const kept = new Set<Target>();
    const after = new Map<string, Target>();
    for (const settings of all) {
      const known = before.get(settings.name);
      const isSame = known !== undefined && isDeepStrictEqual(known.settings, settings);
      const target = isSame ? known : new Target(settings, this.#outside);
      kept.add(target);
      after.set(settings.name, target);
    }
    this.#targets = after;
    for (const target of before.values()) if (!kept.has(target)) void this.#end(target);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#targets.values()].map((target) => this.#end(target)));
    this.#targets = new Map();
  }

  async #end(target: Target): Promise<void> {
    try {
      await target.close();
    } catch (error) {
      this.#outside.logger.warn({ err: asError(error) }, 'connections to a target did not close');
    }
  }
}
