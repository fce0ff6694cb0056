/** The setting of an actor that has to do with IBANs: the text of `TETHER_IBAN_KEYS`, since keys themselves are sent to no thread. */
import { z } from 'zod';
import { IbanKeys } from './keys.js';

/** Undefined: IBANs are written as they are. It holds secrets. */
export const ibanKeysSetting = z
  .string()
  .refine((text) => IbanKeys.parse(text) !== undefined)
  .optional();

/** Of a text that the setting takes. */
export function ibanKeysOf(text: string | undefined): IbanKeys | undefined {
  return text === undefined ? undefined : IbanKeys.parse(text);
}
