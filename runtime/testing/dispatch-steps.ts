/** What happens around a dispatcher in random tests, step by step, and in what world. */
export type Step =
  | { readonly do: 'append'; readonly partition: number; readonly key: number }
  | { readonly do: 'finish' | 'giveUp'; readonly thread: number; readonly pick: number }
  | { readonly do: 'lose' | 'attach'; readonly thread: number; readonly handled: number }
  | { readonly do: 'move'; readonly partition: number; readonly thread: number }
  | { readonly do: 'adopt' | 'give up' | 'drop'; readonly partition: number }
  | { readonly do: 'resize'; readonly threads: number }
  | { readonly do: 'pause' | 'resume' | 'turn' }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'widen'; readonly messages: number };

export interface World {
  readonly partitions: number;
  readonly threads: number;
  /** Every n-th read goes by a promise. */
  readonly promiseEvery: number;
  /** What the n-th release does, again and again. */
  readonly releases: readonly ('at once' | 'later' | 'fails' | 'hangs')[];
}
