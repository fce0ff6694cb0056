import type { DropReason, OwnEvent } from '../events.js';

/** What happens too often for an event of its own: counted, and told together. */
export class Tally {
  activated = 0;
  passivated = 0;
  readonly dropped: Record<DropReason, number> = { 'mailbox-full': 0, stopped: 0, unreachable: 0 };

  /** Tells what was counted since the last time. */
  tell(event: (event: OwnEvent) => void): void {
    for (const kind of ['activated', 'passivated'] as const) {
      if (this[kind] > 0) event({ kind, count: this[kind] });
      this[kind] = 0;
    }
    for (const reason of Object.keys(this.dropped) as DropReason[]) {
      if (this.dropped[reason] > 0) event({ kind: 'dropped', reason, count: this.dropped[reason] });
      this.dropped[reason] = 0;
    }
  }
}
