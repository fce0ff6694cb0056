/**
 * The generator of the Savina suite: every subject draws the same numbers, so that every subject can be held to the same
 * result. Sixteen bits, so small that an Erlang process computes it without big integers.
 */
export class PseudoRandom {
  #value: number;

  constructor(seed: number) {
    this.#value = seed & 0xffff;
  }

  /** 0 to 65,535. */
  next(): number {
    this.#value = (this.#value * 1_309 + 13_849) & 0xffff;
    return this.#value;
  }
}

/** The seed of the actor with that number in its benchmark. */
export const seedOf = (actor: number): number => 74_755 + actor * 7_919;
