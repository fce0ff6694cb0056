/** What others need to know of EMP notifications: the parser, the keys, the names of the fields. */
export { EmpMalformedError } from './errors.js';
export {
  EFFECT_FIELDS,
  ID_BYTES_MAX,
  IDENTITY_FIELDS,
  KIND_BY_NOTIFICATION_TYPE,
  type Kind,
  LABEL_BYTES_MAX,
  SIGNED_ID_FIELD,
  SIGNIFICANT_FIELDS,
  type SignificantField,
} from './fields.js';
export { decodeForm, type FormField } from './form.js';
export { actorKey, bodyDigest, dedupeKey, type Identity, identify, needsBodyDigest } from './keys.js';
export { type Notification, parseNotification } from './notification.js';
