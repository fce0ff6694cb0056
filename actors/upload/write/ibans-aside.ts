/** IBANs of a batch's rows that are sealed already, outside of the heap as the rows themselves: for a mask, and to look for them in other forms. */

/** ISO 13616: ASCII, at most 34 characters. */
const CHARS_MAX = 34;
const SLOT_BYTES = CHARS_MAX + 1;
const ROWS_AT_FIRST = 1_024;

export class IbansAside {
  #slots = Buffer.allocUnsafeSlow(SLOT_BYTES * ROWS_AT_FIRST);

  set(number: number, iban: string): void {
    if (iban.length > CHARS_MAX) throw new RangeError('an IBAN of more than 34 characters');
    const at = SLOT_BYTES * number;
    if (at === this.#slots.length) {
      const slots = Buffer.allocUnsafeSlow(2 * this.#slots.length);
      this.#slots.copy(slots);
      this.#slots = slots;
    }
    this.#slots[at] = iban.length;
    this.#slots.write(iban, at + 1, 'latin1');
  }

  /** Of a number that was set. */
  get(number: number): string {
    const at = SLOT_BYTES * number;
    return this.#slots.toString('latin1', at + 1, at + 1 + (this.#slots[at] ?? 0));
  }
}
