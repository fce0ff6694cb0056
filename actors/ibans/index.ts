/** What others need of sealed IBANs: to read them (the package's door `tether/ibans`), to bring tables into one form, to count. */
export {
  type Converted,
  type ConvertOptions,
  convertTable,
  IBAN_TABLES,
  type IbanTable,
  type Told,
} from './convert.js';
export { countForms, type FormCount } from './count.js';
export { IbanKeyUnknownError, IbanSealError } from './errors.js';
export { formsSql, PLAIN } from './forms.js';
export { IbanKeys, ibanKeySecrets } from './keys.js';
export { type BlacklistIdentity, blacklistPlace, type DebtorIdentity, debtorPlace } from './places.js';
export { openIban } from './seal.js';
