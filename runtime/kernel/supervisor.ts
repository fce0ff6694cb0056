/**
 * Carries out what a type's `supervision` says of an activation whose volatile message failed. Of a batch of several it is not known
 * which failed: they are tried again by halves, and only the one that fails alone counts.
 *
 * Restart intensity is that of Erlang's supervisors: more than `restartsMax` restarts within `withinMs` are no longer answered
 * by one more restart, but escalated. The activation then rests for `withinMs`, and the system counts as failing meanwhile.
 */

import type { Clock } from '../clock.js';
import { ActivationStoppedError } from '../errors.js';
import type { OwnEvent } from '../events.js';
import { causeOf, failureOf } from '../failure.js';
import { backoffMs } from '../retry.js';
import type { FilledSupervision } from '../supervision.js';
import type { VolatileMessage } from './letter.js';

/** When an activation was restarted, within the window; at most `restartsMax` times. */
export type Faults = readonly number[];

/** An activation, as its supervisor sees it. */
export interface Supervised {
  readonly key: string;
  faults: Faults | undefined;
  readonly mailbox: { split(messages: VolatileMessage[]): void; refuse(reason: Error): void };
  endLife(reason: Error): void;
  wait(why: 'backoff', ms: number): void;
  rest(reason: Error, ms: number): void;
}

export interface SupervisorHost {
  readonly type: string;
  readonly kernel: { readonly clock: Clock; readonly random: () => number };
  event(event: OwnEvent): void;
}

export class Supervisor {
  readonly #host: SupervisorHost;
  readonly #supervision: FilledSupervision;

  constructor(host: SupervisorHost, supervision: FilledSupervision) {
    this.#host = host;
    this.#supervision = supervision;
  }

  /** Why the answers that an activation owed are refused when its state is made anew. */
  restarted({ key }: { readonly key: string }, error: unknown): ActivationStoppedError {
    const { code, message } = causeOf(error);
    return new ActivationStoppedError(`${this.#host.type}/${key} was restarted after: ${message} (${code})`);
  }

  failed(activation: Supervised, messages: VolatileMessage[], error: unknown): void {
    if (messages.length > 1) {
      activation.mailbox.split(messages);
      activation.endLife(this.restarted(activation, error));
      return;
    }
    messages[0]?.fail(error);
    this.#host.event({ kind: 'failed', key: activation.key, cause: causeOf(error) });
    // What the actor depends on is away: neither the message nor the state is to blame.
    if (failureOf(error) === 'outage') activation.endLife(this.restarted(activation, error));
    else this.#failedAlone(activation, error);
  }

  #failedAlone(activation: Supervised, error: unknown): void {
    const { onFailure } = this.#supervision;
    if (onFailure === 'resume') return;
    if (onFailure === 'stop') {
      this.#host.event({ kind: 'stopped', key: activation.key, cause: causeOf(error) });
      activation.endLife(this.#stopped(activation, error));
      activation.mailbox.refuse(this.#stopped(activation, error));
      return;
    }
    this.#restart(activation, error);
  }

  #restart(activation: Supervised, error: unknown): void {
    const { restartsMax, withinMs, delayMs, delayMsMax } = this.#supervision;
    const { kernel } = this.#host;
    const now = kernel.clock.now();
    const faults = [...(activation.faults ?? []).filter((at) => now - at <= withinMs), now];
    activation.endLife(this.restarted(activation, error));
    if (faults.length > restartsMax) {
      activation.faults = undefined;
      this.#host.event({ kind: 'escalated', key: activation.key, cause: causeOf(error), restMs: withinMs });
      activation.rest(this.#stopped(activation, error), withinMs);
      return;
    }
    activation.faults = faults;
    const restarts = faults.length;
    this.#host.event({ kind: 'restarted', key: activation.key, cause: causeOf(error), restarts });
    activation.wait(
      'backoff',
      backoffMs(restarts, { attemptsMax: restartsMax, delayMs, delayMsMax }, kernel.random),
    );
  }

  #stopped({ key }: Supervised, error: unknown): ActivationStoppedError {
    const { code, message } = causeOf(error);
    return new ActivationStoppedError(`${this.#host.type}/${key} was stopped after: ${message} (${code})`);
  }
}
