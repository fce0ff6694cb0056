/** A refusal on its way up to where it becomes the result. Within an intake thread only. */
import type { IntakeRefusal } from './intake.js';

export class Refusal extends Error {
  readonly code: IntakeRefusal;

  /** @param detail for the client; it quotes nothing that the client sent */
  constructor(code: IntakeRefusal, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.code = code;
  }
}
