/**
 * What is found out about a file while it flows by: its length, its SHA-256, and by its first bytes what it is. Refuses as soon as it
 * is known that it will be.
 */
import { createHash } from 'node:crypto';
import { sniff } from '../../../actors/upload/file/sniff.js';
import { TEXT_MEDIA_TYPE, type UploadMediaType } from '../../../actors/upload/model.js';
import type { IntakeLimits } from './intake.js';
import { Refusal } from './refusal.js';

/** What is looked at to tell what a file is. */
export const HEAD_BYTES = 4_100;

export interface CheckedFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  /** Undefined when it was not looked for. */
  readonly mediaType: UploadMediaType | undefined;
}

export class FileCheck {
  readonly #limits: IntakeLimits;
  /** A part of a file may look like anything. */
  readonly #isPartial: boolean;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #head: Uint8Array[] = [];
  #headBytes = 0;
  #mediaType: UploadMediaType | undefined;

  constructor(limits: IntakeLimits, { partial = false }: { readonly partial?: boolean } = {}) {
    this.#limits = limits;
    this.#isPartial = partial;
  }

  /** @throws Refusal */
  async add(bytes: Uint8Array): Promise<void> {
    this.#bytes += bytes.byteLength;
    this.#hash.update(bytes);
    if (this.#mediaType === undefined && !this.#isPartial) {
      const head = bytes.subarray(0, HEAD_BYTES - this.#headBytes);
      this.#head.push(Buffer.from(head));
      this.#headBytes += head.byteLength;
      if (this.#headBytes === HEAD_BYTES) await this.#look();
    }
    assertSize(this.#bytes, this.#mediaType, this.#limits);
  }

  /** At the end of the file. @throws Refusal */
  async finish(): Promise<CheckedFile> {
    if (this.#bytes === 0 && !this.#isPartial) throw new Refusal('empty', 'the file is empty');
    const mediaType = this.#mediaType ?? (this.#isPartial ? undefined : await this.#look());
    assertSize(this.#bytes, mediaType, this.#limits);
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex'), mediaType };
  }

  async #look(): Promise<UploadMediaType> {
    const mediaType = await assertTable(Buffer.concat(this.#head));
    this.#mediaType = mediaType;
    this.#head = [];
    return mediaType;
  }
}

/** What a file is that begins so. @throws Refusal */
export async function assertTable(head: Uint8Array): Promise<UploadMediaType> {
  const sniffed = await sniff(head);
  if (sniffed.is === 'refused') throw new Refusal('not-a-table', sniffed.detail);
  return sniffed.mediaType;
}

/** @param mediaType undefined: not known yet @throws Refusal */
export function assertSize(
  bytes: number,
  mediaType: UploadMediaType | undefined,
  limits: IntakeLimits,
): void {
  const max =
    mediaType === undefined
      ? Math.max(limits.textBytesMax, limits.xlsxBytesMax)
      : mediaType === TEXT_MEDIA_TYPE
        ? limits.textBytesMax
        : limits.xlsxBytesMax;
  if (bytes > max) {
    const kind =
      mediaType === undefined ? 'a file' : mediaType === TEXT_MEDIA_TYPE ? 'a text file' : 'a workbook';
    throw new Refusal('too-large', `${kind} has at most ${max} bytes`);
  }
}
