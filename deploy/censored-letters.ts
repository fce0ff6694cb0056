/**
 * A store of dead letters that keeps and shows no secret in a cause: its message and stack are of whatever an actor threw, which may have the URL
 * of a database in it. Payloads stay as they came: who replays needs them, and what is shown of them is masked elsewhere.
 */
import type {
  DeadLetter,
  DeadLetterEnd,
  DeadLetterFilter,
  DeadLetterMark,
  DeadLetterSelection,
  DeadLetterStore,
  DeadLetterSummary,
  StoredDeadLetter,
} from '../runtime/stores/dead-letter.js';

class CensoredDeadLetters implements DeadLetterStore {
  readonly #store: DeadLetterStore;
  readonly #censor: (text: string) => string;

  constructor(store: DeadLetterStore, censor: (text: string) => string) {
    this.#store = store;
    this.#censor = censor;
  }

  put(letters: readonly DeadLetter[]): Promise<void> {
    return this.#store.put(letters.map((letter) => this.#clean(letter)));
  }

  async list(filter: DeadLetterFilter): Promise<readonly StoredDeadLetter[]> {
    return (await this.#store.list(filter)).map((letter) => this.#clean(letter));
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    const letter = await this.#store.get(id);
    return letter === undefined ? undefined : this.#clean(letter);
  }

  async getMany(ids: readonly string[]): Promise<readonly StoredDeadLetter[]> {
    return (await this.#store.getMany(ids)).map((letter) => this.#clean(letter));
  }

  count(): Promise<number> {
    return this.#store.count();
  }

  summary(selection: DeadLetterSelection): Promise<DeadLetterSummary> {
    return this.#store.summary(selection);
  }

  choose(selection: DeadLetterSelection, limit: number): Promise<readonly DeadLetterMark[]> {
    return this.#store.choose(selection, limit);
  }

  settle(marks: readonly DeadLetterMark[], end: DeadLetterEnd): Promise<number> {
    return this.#store.settle(marks, end);
  }

  #clean<Letter extends DeadLetter>(letter: Letter): Letter {
    const { message, stack } = letter.cause;
    const cause = {
      ...letter.cause,
      message: this.#censor(message),
      ...(stack === undefined ? {} : { stack: this.#censor(stack) }),
    };
    return { ...letter, cause };
  }
}

export { CensoredDeadLetters };
