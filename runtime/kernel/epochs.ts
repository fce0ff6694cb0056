/** Under which epochs a thread has partitions of one actor type, where many processes read the log; empty where one does. */
import type { PartitionEpoch } from '../actor.js';

export class Epochs {
  readonly #byPartition = new Map<number, number>();

  /** News of one ownership come by two ways, with messages and with the route: that of an earlier one may come late. */
  heard(partition: number, epoch: number | undefined): void {
    if (epoch === undefined || epoch <= (this.#byPartition.get(partition) ?? 0)) return;
    this.#byPartition.set(partition, epoch);
  }

  of(partition: number): PartitionEpoch | undefined {
    const epoch = this.#byPartition.get(partition);
    return epoch === undefined ? undefined : { partition, epoch };
  }
}
