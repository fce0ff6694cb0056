/**
 * The keys in Redis.
 *
 * | key                             | type   | holds                                                                        |
 * |---------------------------------|--------|------------------------------------------------------------------------------|
 * | `<prefix>:log`                  | hash   | `id`: the log's identity; `partitions`: of each actor type                    |
 * | `<prefix>:actors`               | set    | actor types that have been opened                                            |
 * | `<prefix>:{<actor>/<n>}:state`  | hash   | `end`, `committed`, `epoch` of partition n, decimal; what is missing is 0    |
 * | `<prefix>:{<actor>/<n>}:frames` | stream | its frames: `n`, the number of messages, and `b`, the body (`frame.ts`)      |
 *
 * What is in braces places both keys of a partition in one slot of a Cluster. `<prefix>:appended/<id>` is a channel: `<actor>/<n>:<end>` of each
 * partition that got a frame, separated by spaces. Channels are those of a server, not of one of its databases: hence the log's identity.
 */
export interface PartitionKeys {
  readonly state: string;
  readonly frames: string;
}

export class LogKeys {
  readonly log: string;
  readonly actors: string;
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
    this.log = `${prefix}:log`;
    this.actors = `${prefix}:actors`;
  }

  /** The channel of the log `id`. */
  appended(id: string): string {
    return `${this.#prefix}:appended/${id}`;
  }

  of(actor: string, index: number): PartitionKeys {
    const place = `${this.#prefix}:{${actor}/${index}}`;
    return { state: `${place}:state`, frames: `${place}:frames` };
  }
}
